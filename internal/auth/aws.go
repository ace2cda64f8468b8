package auth

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
)

// AWSCredentials are what AWS knows an identity by.
type AWSCredentials struct {
	AccessKeyID     string
	SecretAccessKey Secret
	// SessionToken goes with temporary credentials only.
	SessionToken Secret
	// Expires is when temporary credentials end; zero for never.
	Expires time.Time
}

// gs2CBFlag says that the client does not support channel binding.
const gs2CBFlag = 'n'

// awsConversation is MONGODB-AWS: the client signs a GetCallerIdentity request,
// which the server sends to AWS's Security Token Service to learn who signed
// it.
type awsConversation struct {
	credentials AWSCredentials
	nonce       [32]byte
	now         time.Time
	answered    bool
}

// Start is the client-first message.
func (a *awsConversation) Start() []byte {
	return document(nil).binary("r", a.nonce[:]).int32("p", gs2CBFlag).end()
}

// Step answers the server's nonce with a signature.
func (a *awsConversation) Step(challenge []byte) ([]byte, bool, error) {
	if a.answered {
		return nil, true, nil
	}
	nonce, host, err := a.parseServerFirst(challenge)
	if err != nil {
		return nil, false, fmt.Errorf("server-first message: %w", err)
	}
	a.answered = true
	date := a.now.UTC().Format("20060102T150405Z")
	second := document(nil).
		string("a", a.authorization(host, nonce, date)).
		string("d", date)
	if token := a.credentials.SessionToken; token != "" {
		second = second.string("t", string(token))
	}
	return second.end(), false, nil
}

func (a *awsConversation) parseServerFirst(payload []byte) (nonce []byte, host string, err error) {
	fields, err := elements(payload)
	if err != nil {
		return nil, "", err
	}
	for _, f := range fields {
		switch {
		case f.key == "s" && f.kind == bsonBinary:
			nonce = f.data
		case f.key == "h" && f.kind == bsonString:
			host = string(f.data)
		}
	}
	if len(nonce) != 64 || !bytes.HasPrefix(nonce, a.nonce[:]) {
		return nil, "", errors.New("the nonce does not extend the client's to 64 bytes")
	}
	return nonce, host, checkSTSHost(host)
}

// checkSTSHost refuses what is no host name. The name decides only what is
// signed; the request itself goes out from the server.
func checkSTSHost(host string) error {
	if host == "" || len(host) > 255 {
		return fmt.Errorf("the STS host has %d bytes, not 1 to 255", len(host))
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" {
			return fmt.Errorf("the STS host %q has an empty label", host)
		}
	}
	if strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return fmt.Errorf("the STS host %q is no host name", host)
	}
	return nil
}

// stsRegion is the AWS region that a valid STS host stands for.
func stsRegion(host string) string {
	labels := strings.Split(host, ".")
	if host == "sts.amazonaws.com" || host == "aws.amazonaws.com" || len(labels) == 1 {
		return "us-east-1"
	}
	return labels[1]
}

// getCallerIdentity is the body of the request that is signed.
const getCallerIdentity = "Action=GetCallerIdentity&Version=2011-06-15"

func (a *awsConversation) authorization(host string, nonce []byte, date string) string {
	headers := []sigV4Header{
		{"content-length", fmt.Sprint(len(getCallerIdentity))},
		{"content-type", "application/x-www-form-urlencoded"},
		{"host", host},
		{"x-amz-date", date},
	}
	if token := a.credentials.SessionToken; token != "" {
		headers = append(headers, sigV4Header{"x-amz-security-token", string(token)})
	}
	headers = append(headers,
		sigV4Header{"x-mongodb-gs2-cb-flag", string(gs2CBFlag)},
		sigV4Header{"x-mongodb-server-nonce", base64.StdEncoding.EncodeToString(nonce)})
	return sigV4Request{
		method: "POST", path: "/", headers: headers, body: getCallerIdentity,
		date: date, region: stsRegion(host), service: "sts",
	}.authorization(a.credentials.AccessKeyID, a.credentials.SecretAccessKey)
}
