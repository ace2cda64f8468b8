package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// sigV4Header is one signed header, its name in lower case.
type sigV4Header struct{ name, value string }

// sigV4Request is a request in the terms of AWS's Signature Version 4. Headers
// are sorted by name.
type sigV4Request struct {
	method, path, query string
	headers             []sigV4Header
	body                string
	// date is the value of X-Amz-Date, such as 20150830T123600Z.
	date            string
	region, service string
}

// authorization is the Authorization header that signs r.
func (r sigV4Request) authorization(accessKeyID string, secretAccessKey Secret) string {
	var canonical, signed strings.Builder
	fmt.Fprintf(&canonical, "%s\n%s\n%s\n", r.method, r.path, r.query)
	for i, h := range r.headers {
		fmt.Fprintf(&canonical, "%s:%s\n", h.name, h.value)
		if i > 0 {
			signed.WriteByte(';')
		}
		signed.WriteString(h.name)
	}
	fmt.Fprintf(&canonical, "\n%s\n%s", signed.String(), hexSHA256(r.body))

	day, _, _ := strings.Cut(r.date, "T")
	scope := strings.Join([]string{day, r.region, r.service, "aws4_request"}, "/")
	toSign := strings.Join([]string{"AWS4-HMAC-SHA256", r.date, scope, hexSHA256(canonical.String())}, "\n")

	key := []byte("AWS4" + string(secretAccessKey))
	for _, part := range []string{day, r.region, r.service, "aws4_request"} {
		key = hmacSHA256(key, part)
	}
	return fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
		accessKeyID, scope, signed.String(), hex.EncodeToString(hmacSHA256(key, toSign)))
}

func hexSHA256(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func hmacSHA256(key []byte, msg string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(msg))
	return m.Sum(nil)
}
