package ocsp

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Status is what a responder says of a certificate.
type Status int

// The statuses. Unknown decides nothing.
const (
	Unknown Status = iota
	Good
	Revoked
)

// Response is the verified answer about one certificate.
type Response struct {
	Status Status
	// RevokedAt is when a certificate was revoked.
	RevokedAt time.Time
	// The response holds from ThisUpdate until NextUpdate, which is zero if
	// newer information is always available.
	ThisUpdate, NextUpdate time.Time
}

// Check parses the OCSPResponse der and verifies that it is about cert, signed
// by its issuer or by whom the issuer delegated that to, and current (RFC 6960,
// section 3.2). There is no tolerance for clocks, as the specification says.
func Check(der []byte, cert, issuer *x509.Certificate, now time.Time) (Response, error) {
	basic, err := parse(der)
	if err != nil {
		return Response{}, err
	}
	i := slices.IndexFunc(basic.ResponseData.Responses, func(s singleResponse) bool { return s.CertID.names(cert, issuer) })
	if i < 0 {
		return Response{}, errors.New("the OCSP response does not cover the certificate")
	}
	if err := basic.verify(issuer, now); err != nil {
		return Response{}, err
	}
	r, err := basic.ResponseData.Responses[i].response()
	switch {
	case err != nil:
		return Response{}, err
	case r.ThisUpdate.After(now):
		return Response{}, fmt.Errorf("the OCSP response is not valid before %v", r.ThisUpdate)
	case !r.NextUpdate.IsZero() && !r.NextUpdate.After(now):
		return Response{}, fmt.Errorf("the OCSP response was valid until %v", r.NextUpdate)
	}
	return r, nil
}

// The types of RFC 6960, section 4.2.1, with their names.
type ocspResponse struct {
	ResponseStatus asn1.Enumerated
	ResponseBytes  responseBytes `asn1:"explicit,tag:0,optional"`
}

type responseBytes struct {
	ResponseType asn1.ObjectIdentifier
	Response     []byte
}

type basicResponse struct {
	ResponseData       responseData
	SignatureAlgorithm pkix.AlgorithmIdentifier
	Signature          asn1.BitString
	Certs              []asn1.RawValue `asn1:"explicit,tag:0,optional"`
}

type responseData struct {
	Raw                asn1.RawContent
	Version            int `asn1:"explicit,tag:0,optional"`
	ResponderID        asn1.RawValue
	ProducedAt         time.Time `asn1:"generalized"`
	Responses          []singleResponse
	ResponseExtensions []pkix.Extension `asn1:"explicit,tag:1,optional"`
}

type singleResponse struct {
	CertID           certID
	CertStatus       asn1.RawValue
	ThisUpdate       time.Time        `asn1:"generalized"`
	NextUpdate       time.Time        `asn1:"generalized,explicit,tag:0,optional"`
	SingleExtensions []pkix.Extension `asn1:"explicit,tag:1,optional"`
}

type revokedInfo struct {
	RevocationTime   time.Time       `asn1:"generalized"`
	RevocationReason asn1.Enumerated `asn1:"explicit,tag:0,optional"`
}

var oidBasic = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}

var responseStatus = map[asn1.Enumerated]string{
	1: "malformedRequest", 2: "internalError", 3: "tryLater", 5: "sigRequired", 6: "unauthorized",
}

func parse(der []byte) (basicResponse, error) {
	var outer ocspResponse
	if err := unmarshal(der, &outer, ""); err != nil {
		return basicResponse{}, fmt.Errorf("the OCSP response is malformed: %w", err)
	}
	if s := outer.ResponseStatus; s != 0 {
		return basicResponse{}, fmt.Errorf("the OCSP responder failed with status %d %s", s, responseStatus[s])
	}
	if !outer.ResponseBytes.ResponseType.Equal(oidBasic) {
		return basicResponse{}, fmt.Errorf("the OCSP response has the unknown type %v", outer.ResponseBytes.ResponseType)
	}
	var basic basicResponse
	if err := unmarshal(outer.ResponseBytes.Response, &basic, ""); err != nil {
		return basicResponse{}, fmt.Errorf("the OCSP response is malformed: %w", err)
	}
	extensions := basic.ResponseData.ResponseExtensions
	for _, s := range basic.ResponseData.Responses {
		extensions = slices.Concat(extensions, s.SingleExtensions)
	}
	for _, e := range extensions {
		if e.Critical {
			return basicResponse{}, fmt.Errorf("the OCSP response has the unknown critical extension %v", e.Id)
		}
	}
	return basic, nil
}

func unmarshal(der []byte, v any, params string) error {
	rest, err := asn1.UnmarshalWithParams(der, v, params)
	if err == nil && len(rest) > 0 {
		return fmt.Errorf("%d bytes too many", len(rest))
	}
	return err
}

// The tags of CertStatus.
const (
	tagGood    = 0
	tagRevoked = 1
	tagUnknown = 2
)

func (s singleResponse) response() (Response, error) {
	r := Response{ThisUpdate: s.ThisUpdate, NextUpdate: s.NextUpdate}
	switch {
	case s.CertStatus.Class != asn1.ClassContextSpecific:
		return r, errors.New("the OCSP response has a malformed status")
	case s.CertStatus.Tag == tagGood:
		r.Status = Good
	case s.CertStatus.Tag == tagRevoked:
		var info revokedInfo
		if err := unmarshal(s.CertStatus.FullBytes, &info, "tag:1"); err != nil {
			return r, errors.New("the OCSP response has a malformed status")
		}
		r.Status, r.RevokedAt = Revoked, info.RevocationTime
	case s.CertStatus.Tag == tagUnknown:
	default:
		return r, fmt.Errorf("the OCSP response has the unknown status %d", s.CertStatus.Tag)
	}
	return r, nil
}

var signatureAlgorithms = map[string]x509.SignatureAlgorithm{
	"1.2.840.113549.1.1.11": x509.SHA256WithRSA,
	"1.2.840.113549.1.1.12": x509.SHA384WithRSA,
	"1.2.840.113549.1.1.13": x509.SHA512WithRSA,
	"1.2.840.10045.4.3.2":   x509.ECDSAWithSHA256,
	"1.2.840.10045.4.3.3":   x509.ECDSAWithSHA384,
	"1.2.840.10045.4.3.4":   x509.ECDSAWithSHA512,
	"1.3.101.112":           x509.PureEd25519,
}

// verify checks the signature, and that whoever signed may speak for issuer.
func (b basicResponse) verify(issuer *x509.Certificate, now time.Time) error {
	signer, err := b.signer(issuer, now)
	if err != nil {
		return err
	}
	algorithm, ok := signatureAlgorithms[b.SignatureAlgorithm.Algorithm.String()]
	if !ok {
		return fmt.Errorf("the OCSP response is signed with the algorithm %v, which is not supported", b.SignatureAlgorithm.Algorithm)
	}
	if err := signer.CheckSignature(algorithm, b.ResponseData.Raw, b.Signature.RightAlign()); err != nil {
		return fmt.Errorf("the signature of the OCSP response is wrong: %w", err)
	}
	return nil
}

// signer is issuer, or the certificate in the response that issuer made for
// signing responses, whichever ResponderID names.
func (b basicResponse) signer(issuer *x509.Certificate, now time.Time) (*x509.Certificate, error) {
	if b.isResponder(issuer) {
		return issuer, nil
	}
	for _, raw := range b.Certs {
		cert, err := x509.ParseCertificate(raw.FullBytes)
		if err != nil || !b.isResponder(cert) {
			continue
		}
		switch {
		case !slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning):
			return nil, errors.New("the OCSP responder's certificate is not made for signing responses")
		case now.Before(cert.NotBefore) || now.After(cert.NotAfter):
			return nil, fmt.Errorf("the OCSP responder's certificate is valid from %v until %v only", cert.NotBefore, cert.NotAfter)
		}
		if err := cert.CheckSignatureFrom(issuer); err != nil {
			return nil, fmt.Errorf("the OCSP responder's certificate is not from the issuer: %w", err)
		}
		return cert, nil
	}
	return nil, errors.New("the OCSP response is signed neither by the certificate's issuer nor by its delegate")
}

// The tags of ResponderID.
const (
	tagByName = 1
	tagByKey  = 2
)

func (b basicResponse) isResponder(cert *x509.Certificate) bool {
	id := b.ResponseData.ResponderID
	if id.Class != asn1.ClassContextSpecific {
		return false
	}
	switch id.Tag {
	case tagByName:
		return bytes.Equal(id.Bytes, cert.RawSubject)
	case tagByKey:
		var hash []byte
		if unmarshal(id.Bytes, &hash, "") != nil {
			return false
		}
		key, err := publicKey(cert)
		return err == nil && bytes.Equal(hash, sum(crypto.SHA1, key))
	default:
		return false
	}
}
