package spectests

import (
	"cmp"
	"fmt"
	"time"

	"github.com/motor-go/motor/concern"
	"github.com/motor-go/motor/uri"
)

// optionValues read the options of a Config as encoding/json decodes them from
// a fixture.
var optionValues = map[string]func(c *uri.Config) any{
	"appname":                       func(c *uri.Config) any { return c.AppName },
	"authMechanism":                 func(c *uri.Config) any { return c.AuthMechanism },
	"authMechanismProperties":       func(c *uri.Config) any { return object(c.AuthMechanismProperties) },
	"authSource":                    func(c *uri.Config) any { return c.AuthSource },
	"compressors":                   func(c *uri.Config) any { return array(c.Compressors) },
	"connectTimeoutMS":              func(c *uri.Config) any { return millis(c.ConnectTimeout) },
	"directConnection":              func(c *uri.Config) any { return c.DirectConnection },
	"enableOverloadRetargeting":     func(c *uri.Config) any { return c.EnableOverloadRetargeting },
	"heartbeatFrequencyMS":          func(c *uri.Config) any { return millis(c.HeartbeatFrequency) },
	"journal":                       func(c *uri.Config) any { return pointed(c.WriteConcern.Journal) },
	"loadBalanced":                  func(c *uri.Config) any { return c.LoadBalanced },
	"localThresholdMS":              func(c *uri.Config) any { return millis(c.LocalThreshold) },
	"maxAdaptiveRetries":            func(c *uri.Config) any { return float64(c.MaxAdaptiveRetries) },
	"maxConnecting":                 func(c *uri.Config) any { return float64(c.MaxConnecting) },
	"maxIdleTimeMS":                 func(c *uri.Config) any { return millis(c.MaxIdleTime) },
	"maxPoolSize":                   func(c *uri.Config) any { return float64(c.MaxPoolSize) },
	"maxStalenessSeconds":           func(c *uri.Config) any { return c.ReadPreference.MaxStaleness.Seconds() },
	"minPoolSize":                   func(c *uri.Config) any { return float64(c.MinPoolSize) },
	"readConcernLevel":              func(c *uri.Config) any { return c.ReadConcern.Level },
	"readPreference":                func(c *uri.Config) any { return c.ReadPreference.Mode.String() },
	"readPreferenceTags":            func(c *uri.Config) any { return tagSets(c.ReadPreference.TagSets) },
	"replicaSet":                    func(c *uri.Config) any { return c.ReplicaSet },
	"retryWrites":                   func(c *uri.Config) any { return c.RetryWrites },
	"serverMonitoringMode":          func(c *uri.Config) any { return c.ServerMonitoringMode },
	"serverSelectionTimeoutMS":      func(c *uri.Config) any { return millis(c.ServerSelectionTimeout) },
	"serverSelectionTryOnce":        func(c *uri.Config) any { return c.ServerSelectionTryOnce },
	"socketTimeoutMS":               func(c *uri.Config) any { return millis(c.SocketTimeout) },
	"srvMaxHosts":                   func(c *uri.Config) any { return float64(c.SRVMaxHosts) },
	"srvServiceName":                func(c *uri.Config) any { return c.SRVServiceName },
	"ssl":                           func(c *uri.Config) any { return c.TLS },
	"timeoutMS":                     func(c *uri.Config) any { return millis(*cmp.Or(c.Timeout, new(time.Duration(-1)))) },
	"tls":                           func(c *uri.Config) any { return c.TLS },
	"tlsAllowInvalidCertificates":   func(c *uri.Config) any { return c.TLSAllowInvalidCertificates },
	"tlsAllowInvalidHostnames":      func(c *uri.Config) any { return c.TLSAllowInvalidHostnames },
	"tlsCAFile":                     func(c *uri.Config) any { return c.TLSCAFile },
	"tlsCertificateKeyFile":         func(c *uri.Config) any { return c.TLSCertificateKeyFile },
	"tlsCertificateKeyFilePassword": func(c *uri.Config) any { return c.TLSCertificateKeyFilePassword },
	"tlsDisableCertificateRevocationCheck": func(c *uri.Config) any {
		return c.TLSDisableCertificateRevocationCheck
	},
	"tlsDisableOCSPEndpointCheck": func(c *uri.Config) any { return c.TLSDisableOCSPEndpointCheck },
	"tlsInsecure":                 func(c *uri.Config) any { return c.TLSInsecure },
	"w":                           func(c *uri.Config) any { return jsonW(c.WriteConcern.W) },
	"wTimeoutMS":                  func(c *uri.Config) any { return millis(c.WriteConcern.WTimeout) },
	"zlibCompressionLevel":        func(c *uri.Config) any { return float64(c.ZlibCompressionLevel) },
}

func millis(d time.Duration) any { return float64(d.Milliseconds()) }

func pointed[V any](p *V) any {
	if p == nil {
		return nil
	}
	return *p
}

func jsonW(w any) any {
	if n, ok := w.(int); ok {
		return float64(n)
	}
	return w
}

// object is a JSON object of strings. Older files have properties that are true
// or false instead.
func object[V any](m map[string]V) any {
	fields := map[string]any{}
	for name, value := range m {
		fields[name] = fmt.Sprint(value)
	}
	return fields
}

func array(s []string) any {
	elements := []any{}
	for _, e := range s {
		elements = append(elements, e)
	}
	return elements
}

func tagSets(sets []concern.TagSet) any {
	elements := []any{}
	for _, set := range sets {
		fields := map[string]any{}
		for _, tag := range set {
			fields[tag.Name] = tag.Value
		}
		elements = append(elements, fields)
	}
	return elements
}
