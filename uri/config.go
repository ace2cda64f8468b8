package uri

import (
	"time"

	"github.com/motor-go/motor/concern"
)

// Config is everything that a connection string can say, with the defaults of
// the specifications where it says nothing. A Parser adds options that are set
// in code; whoever writes over it calls Validate, or Resolver.Resolve,
// afterwards.
type Config struct {
	// Hosts is the seed list: "host:port" with the host in lower case and IPv6
	// addresses in brackets, or the path of a UNIX domain socket, which is what
	// contains a slash. Empty for mongodb+srv until a Resolver has filled it.
	Hosts []string
	// Username and Password are the userinfo. Both are empty if there was none.
	Username, Password string
	// Database is the path after the hosts: the default database, and the one
	// to authenticate against if AuthSource is empty.
	Database string

	// SRVHost is the DNS name of a mongodb+srv string, else empty.
	SRVHost string
	// SRVServiceName (srvServiceName) is "mongodb" by default.
	SRVServiceName string
	// SRVMaxHosts (srvMaxHosts) bounds the seed list; 0 is no bound.
	SRVMaxHosts int

	// AuthSource (authSource), AuthMechanism (authMechanism) and
	// AuthMechanismProperties (authMechanismProperties) are as written, the
	// names of the properties in upper case. Credential combines them with the
	// userinfo. A property whose value contains a comma cannot be written in a
	// connection string.
	AuthSource              string
	AuthMechanism           string
	AuthMechanismProperties map[string]string

	// AppName (appname) goes into the client metadata; at most 128 bytes.
	AppName string

	// ReplicaSet (replicaSet) is the name of the set that every server must be in.
	ReplicaSet string
	// DirectConnection (directConnection) makes a Single topology of the one host.
	DirectConnection bool
	// LoadBalanced (loadBalanced) says that the one host is a load balancer.
	LoadBalanced bool
	// LoadBalancedSet says that LoadBalanced, true or false, was asked for, so
	// that a TXT record does not change it.
	LoadBalancedSet bool

	// ConnectTimeout (connectTimeoutMS) bounds the dialling of a connection and
	// the monitors' checks: 10 s by default, 0 is no bound.
	ConnectTimeout time.Duration
	// SocketTimeout (socketTimeoutMS) bounds each read and write of an
	// operation; 0, the default, is no bound. Deprecated in favour of Timeout.
	SocketTimeout time.Duration
	// Timeout (timeoutMS) bounds each operation as a whole. Nil leaves the older
	// timeouts in charge; 0 is no bound.
	Timeout *time.Duration
	// ServerSelectionTimeout (serverSelectionTimeoutMS) is 30 s by default; 0
	// makes a selection fail that cannot be served at once.
	ServerSelectionTimeout time.Duration
	// ServerSelectionTryOnce (serverSelectionTryOnce) has no effect: it is for
	// drivers that do not monitor in the background.
	ServerSelectionTryOnce bool
	// LocalThreshold (localThresholdMS) is the width of the latency window:
	// 15 ms by default.
	LocalThreshold time.Duration
	// HeartbeatFrequency (heartbeatFrequencyMS) is the time between two checks
	// of a server: 10 s by default, at least 500 ms.
	HeartbeatFrequency time.Duration
	// ServerMonitoringMode (serverMonitoringMode) is "auto" (the default),
	// "stream" or "poll".
	ServerMonitoringMode string

	// MaxPoolSize (maxPoolSize) bounds the connections to one server: 100 by
	// default, 0 is no bound.
	MaxPoolSize int
	// MinPoolSize (minPoolSize) is how many connections are kept open: 0 by default.
	MinPoolSize int
	// MaxConnecting (maxConnecting) is how many connections a pool establishes
	// at a time: 2 by default.
	MaxConnecting int
	// MaxIdleTime (maxIdleTimeMS) is how long a connection may be idle before it
	// is closed; 0, the default, is for ever.
	MaxIdleTime time.Duration
	// WaitQueueTimeout (waitQueueTimeoutMS) bounds the wait for a connection; 0,
	// the default, is no bound. Deprecated in favour of Timeout.
	WaitQueueTimeout time.Duration

	// RetryReads (retryReads) and RetryWrites (retryWrites) are true by default.
	RetryReads, RetryWrites bool
	// MaxAdaptiveRetries (maxAdaptiveRetries) is how often an operation is
	// retried after overload errors: 2 by default.
	MaxAdaptiveRetries int
	// EnableOverloadRetargeting (enableOverloadRetargeting) makes such a retry
	// go to another server if there is one.
	EnableOverloadRetargeting bool

	// ReadConcern is readConcernLevel.
	ReadConcern concern.ReadConcern
	// WriteConcern is w, journal and wTimeoutMS.
	WriteConcern concern.WriteConcern
	// ReadPreference is readPreference, readPreferenceTags and
	// maxStalenessSeconds.
	ReadPreference concern.ReadPreference

	// Compressors (compressors) are the names of "snappy", "zlib" and "zstd" to
	// offer, best first. None by default.
	Compressors []string
	// ZlibCompressionLevel (zlibCompressionLevel) is from 0 (none) to 9 (best);
	// -1, the default, leaves it to the library.
	ZlibCompressionLevel int

	// TLS (tls, ssl) is true by default for mongodb+srv and where another tls
	// option is used: a file is named, or a flag is true. Say tls=false to use
	// none nevertheless.
	TLS bool
	// TLSCAFile (tlsCAFile) is a PEM file with the authorities to trust instead
	// of the system's.
	TLSCAFile string
	// TLSCertificateKeyFile (tlsCertificateKeyFile) is a PEM file with the
	// client's certificate and key.
	TLSCertificateKeyFile string
	// TLSCertificateKeyFilePassword (tlsCertificateKeyFilePassword) decrypts
	// that key.
	TLSCertificateKeyFilePassword string
	// TLSInsecure (tlsInsecure) relaxes what TLSAllowInvalidCertificates and
	// TLSAllowInvalidHostnames do, and turns off revocation checks.
	TLSInsecure bool
	// TLSAllowInvalidCertificates (tlsAllowInvalidCertificates) accepts a server
	// whose certificate nobody vouches for, and turns off revocation checks.
	TLSAllowInvalidCertificates bool
	// TLSAllowInvalidHostnames (tlsAllowInvalidHostnames) accepts a certificate
	// for another host.
	TLSAllowInvalidHostnames bool
	// TLSDisableOCSPEndpointCheck (tlsDisableOCSPEndpointCheck) believes stapled
	// OCSP responses but asks for none.
	TLSDisableOCSPEndpointCheck bool
	// TLSDisableCertificateRevocationCheck (tlsDisableCertificateRevocationCheck)
	// turns off all revocation checks.
	TLSDisableCertificateRevocationCheck bool

	// ProxyHost (proxyHost) is the SOCKS5 proxy to connect through; empty is none.
	ProxyHost string
	// ProxyPort (proxyPort) is 1080 by default.
	ProxyPort int
	// ProxyUsername (proxyUsername) and ProxyPassword (proxyPassword)
	// authenticate to the proxy.
	ProxyUsername, ProxyPassword string
}

// defaults is what an empty connection string would say.
var defaults = Config{
	SRVServiceName:         "mongodb",
	ConnectTimeout:         10 * time.Second,
	ServerSelectionTimeout: 30 * time.Second,
	LocalThreshold:         15 * time.Millisecond,
	HeartbeatFrequency:     10 * time.Second,
	ServerMonitoringMode:   "auto",
	MaxPoolSize:            100,
	MaxConnecting:          2,
	RetryReads:             true,
	RetryWrites:            true,
	MaxAdaptiveRetries:     2,
	ZlibCompressionLevel:   -1,
	ProxyPort:              1080,
}

// impliesTLS reports whether c asks for TLS without naming it.
func (c *Config) impliesTLS() bool {
	return c.SRVHost != "" ||
		c.TLSCAFile != "" || c.TLSCertificateKeyFile != "" || c.TLSCertificateKeyFilePassword != "" ||
		c.TLSInsecure || c.TLSAllowInvalidCertificates || c.TLSAllowInvalidHostnames ||
		c.TLSDisableOCSPEndpointCheck || c.TLSDisableCertificateRevocationCheck
}
