// Package ocsp asks whether a certificate is revoked, and checks the answer
// (RFC 6960). It has no network: a Request is to be sent to a responder of the
// certificate, and a response may as well come stapled to a TLS handshake.
package ocsp

import (
	"crypto"
	_ "crypto/sha1" // for CertID and responder IDs by key
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
)

// certID is a CertID: a certificate by its issuer and number. The hashes need
// no resistance to collisions, so SHA-1 is what everybody uses.
type certID struct {
	HashAlgorithm  pkix.AlgorithmIdentifier
	IssuerNameHash []byte
	IssuerKeyHash  []byte
	SerialNumber   *big.Int
}

var hashes = map[string]crypto.Hash{
	"1.3.14.3.2.26":          crypto.SHA1,
	"2.16.840.1.101.3.4.2.1": crypto.SHA256,
	"2.16.840.1.101.3.4.2.2": crypto.SHA384,
	"2.16.840.1.101.3.4.2.3": crypto.SHA512,
}

var oidSHA1 = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}

func newCertID(algorithm asn1.ObjectIdentifier, cert, issuer *x509.Certificate) (certID, error) {
	hash, ok := hashes[algorithm.String()]
	if !ok {
		return certID{}, fmt.Errorf("the hash algorithm %v is not supported", algorithm)
	}
	key, err := publicKey(issuer)
	if err != nil {
		return certID{}, err
	}
	return certID{
		HashAlgorithm:  pkix.AlgorithmIdentifier{Algorithm: algorithm, Parameters: asn1.NullRawValue},
		IssuerNameHash: sum(hash, issuer.RawSubject),
		IssuerKeyHash:  sum(hash, key),
		SerialNumber:   cert.SerialNumber,
	}, nil
}

// names reports whether the ID is that of a certificate.
func (id certID) names(cert, issuer *x509.Certificate) bool {
	want, err := newCertID(id.HashAlgorithm.Algorithm, cert, issuer)
	return err == nil && id.SerialNumber.Cmp(want.SerialNumber) == 0 &&
		string(id.IssuerNameHash) == string(want.IssuerNameHash) &&
		string(id.IssuerKeyHash) == string(want.IssuerKeyHash)
}

func sum(hash crypto.Hash, b []byte) []byte {
	h := hash.New()
	h.Write(b)
	return h.Sum(nil)
}

// publicKey is the bits of a certificate's public key, without its algorithm.
func publicKey(cert *x509.Certificate) ([]byte, error) {
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		PublicKey asn1.BitString
	}
	if _, err := asn1.Unmarshal(cert.RawSubjectPublicKeyInfo, &info); err != nil {
		return nil, errors.New("the issuer's public key cannot be read")
	}
	return info.PublicKey.RightAlign(), nil
}

// Key identifies a certificate by its CertID, for caches.
func Key(cert, issuer *x509.Certificate) (string, error) {
	id, err := newCertID(oidSHA1, cert, issuer)
	if err != nil {
		return "", err
	}
	der, err := asn1.Marshal(id)
	return string(der), err
}

// Request is the OCSPRequest for one certificate, to be sent to a responder by
// HTTP POST as application/ocsp-request.
func Request(cert, issuer *x509.Certificate) ([]byte, error) {
	id, err := newCertID(oidSHA1, cert, issuer)
	if err != nil {
		return nil, err
	}
	type request struct{ ReqCert certID }
	type tbsRequest struct{ RequestList []request }
	return asn1.Marshal(struct{ TBSRequest tbsRequest }{tbsRequest{[]request{{id}}}})
}

// oidTLSFeature marks the certificates whose servers must do what it lists;
// statusRequest (5) is stapling (RFC 7633).
var oidTLSFeature = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}

const statusRequest = 5

// MustStaple reports whether a certificate is only good together with a stapled
// response.
func MustStaple(cert *x509.Certificate) bool {
	for _, e := range cert.Extensions {
		if !e.Id.Equal(oidTLSFeature) {
			continue
		}
		var features []int
		if _, err := asn1.Unmarshal(e.Value, &features); err != nil {
			return false
		}
		for _, f := range features {
			if f == statusRequest {
				return true
			}
		}
	}
	return false
}
