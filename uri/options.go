package uri

import (
	"math"
	"strings"
	"time"
)

const anyInt = math.MaxInt32

// options are all the options of the specifications, in the order in which
// they are written.
var options = []option{
	text("replicaSet", func(c *Config) *string { return &c.ReplicaSet }),
	flag("directConnection", func(c *Config) *bool { return &c.DirectConnection }),
	loadBalanced(),
	srvServiceName(),
	number("srvMaxHosts", 0, anyInt, func(c *Config) *int { return &c.SRVMaxHosts }),

	authSource(),
	textOf("authMechanism", func(c *Config) *string { return &c.AuthMechanism }, knownMechanism).as(strict),
	authMechanismProperties(),
	gssapiServiceName(),

	textOf("appname", func(c *Config) *string { return &c.AppName }, atMost(128)),

	millis("connectTimeoutMS", 0, func(c *Config) *time.Duration { return &c.ConnectTimeout }),
	millis("socketTimeoutMS", 0, func(c *Config) *time.Duration { return &c.SocketTimeout }),
	timeoutMS(),
	millis("serverSelectionTimeoutMS", 0, func(c *Config) *time.Duration { return &c.ServerSelectionTimeout }),
	flag("serverSelectionTryOnce", func(c *Config) *bool { return &c.ServerSelectionTryOnce }),
	millis("localThresholdMS", 0, func(c *Config) *time.Duration { return &c.LocalThreshold }),
	millis("heartbeatFrequencyMS", 500*time.Millisecond, func(c *Config) *time.Duration { return &c.HeartbeatFrequency }),
	textOf("serverMonitoringMode", func(c *Config) *string { return &c.ServerMonitoringMode }, oneOf("auto", "stream", "poll")),

	number("maxPoolSize", 0, anyInt, func(c *Config) *int { return &c.MaxPoolSize }),
	number("minPoolSize", 0, anyInt, func(c *Config) *int { return &c.MinPoolSize }),
	number("maxConnecting", 1, anyInt, func(c *Config) *int { return &c.MaxConnecting }),
	millis("maxIdleTimeMS", 0, func(c *Config) *time.Duration { return &c.MaxIdleTime }),
	millis("waitQueueTimeoutMS", 0, func(c *Config) *time.Duration { return &c.WaitQueueTimeout }),

	flag("retryReads", func(c *Config) *bool { return &c.RetryReads }),
	flag("retryWrites", func(c *Config) *bool { return &c.RetryWrites }),
	number("maxAdaptiveRetries", 0, anyInt, func(c *Config) *int { return &c.MaxAdaptiveRetries }),
	flag("enableOverloadRetargeting", func(c *Config) *bool { return &c.EnableOverloadRetargeting }),

	text("readConcernLevel", func(c *Config) *string { return &c.ReadConcern.Level }),
	w().as(strict),
	journal(),
	wTimeoutMS("wTimeoutMS"),
	wTimeoutMS("wtimeout").as(instead("wTimeoutMS")),
	readPreference(),
	readPreferenceTags(),
	maxStalenessSeconds(),

	compressors(),
	number("zlibCompressionLevel", -1, 9, func(c *Config) *int { return &c.ZlibCompressionLevel }),

	tls("tls"),
	tls("ssl").as(func(o *option) { o.values = nil }),
	text("tlsCAFile", func(c *Config) *string { return &c.TLSCAFile }),
	text("tlsCertificateKeyFile", func(c *Config) *string { return &c.TLSCertificateKeyFile }),
	text("tlsCertificateKeyFilePassword", func(c *Config) *string { return &c.TLSCertificateKeyFilePassword }).as(secret),
	flag("tlsInsecure", func(c *Config) *bool { return &c.TLSInsecure }),
	flag("tlsAllowInvalidCertificates", func(c *Config) *bool { return &c.TLSAllowInvalidCertificates }),
	flag("tlsAllowInvalidHostnames", func(c *Config) *bool { return &c.TLSAllowInvalidHostnames }),
	flag("tlsDisableOCSPEndpointCheck", func(c *Config) *bool { return &c.TLSDisableOCSPEndpointCheck }),
	flag("tlsDisableCertificateRevocationCheck", func(c *Config) *bool { return &c.TLSDisableCertificateRevocationCheck }),

	text("proxyHost", func(c *Config) *string { return &c.ProxyHost }).as(once),
	number("proxyPort", 1, math.MaxUint16, func(c *Config) *int { return &c.ProxyPort }).as(once),
	text("proxyUsername", func(c *Config) *string { return &c.ProxyUsername }).as(once),
	text("proxyPassword", func(c *Config) *string { return &c.ProxyPassword }).as(once).as(secret),
}

// optionNamed finds options by their names in lower case.
var optionNamed = func() map[string]*option {
	m := make(map[string]*option, len(options))
	for i := range options {
		m[strings.ToLower(options[i].name)] = &options[i]
	}
	return m
}()

// exclusive are the pairs of options that must not be given together, whatever
// their values.
var exclusive = [][2]string{
	{"tlsInsecure", "tlsAllowInvalidCertificates"},
	{"tlsInsecure", "tlsAllowInvalidHostnames"},
	{"tlsInsecure", "tlsDisableOCSPEndpointCheck"},
	{"tlsInsecure", "tlsDisableCertificateRevocationCheck"},
	{"tlsAllowInvalidCertificates", "tlsDisableOCSPEndpointCheck"},
	{"tlsAllowInvalidCertificates", "tlsDisableCertificateRevocationCheck"},
	{"tlsDisableOCSPEndpointCheck", "tlsDisableCertificateRevocationCheck"},
}

// needs are the options that mean nothing without another.
var needs = [][2]string{
	{"proxyPort", "proxyHost"},
	{"proxyUsername", "proxyHost"},
	{"proxyPassword", "proxyHost"},
}
