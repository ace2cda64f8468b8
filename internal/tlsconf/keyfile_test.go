package tlsconf

import (
	"bytes"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func testdata(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".pem"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeFile(t testing.TB, content ...[]byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file.pem")
	if err := os.WriteFile(name, bytes.Join(content, []byte("\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// The keys in testdata are one key in the forms that OpenSSL writes, encrypted
// with this.
const password = "hunter2"

func TestCertificateKeyFiles(t *testing.T) {
	cert := testdata(t, "cert")
	for _, tt := range []struct {
		key, password string
		want          string // part of the error, or empty
	}{
		{"sec1", "", ""},
		{"pkcs8", "", ""},
		{"pkcs8", "needless", ""},
		{"aes128-sha1", password, ""},
		{"aes192-sha512", password, ""},
		{"aes256-sha224", password, ""},
		{"aes256-sha256", password, ""},
		{"des3-sha384", password, ""},
		{"legacy-aes128", password, ""},
		{"legacy-des3", password, ""},
		{"aes256-sha256", "", "set tlsCertificateKeyFilePassword"},
		{"legacy-des3", "", "set tlsCertificateKeyFilePassword"},
		{"aes128-sha1", "wrong-one", "tlsCertificateKeyFilePassword is wrong"},
		{"aes256-sha256", "wrong-one", "tlsCertificateKeyFilePassword is wrong"},
		{"des3-sha384", "wrong-one", "tlsCertificateKeyFilePassword is wrong"},
		{"legacy-aes128", "wrong-one", "tlsCertificateKeyFilePassword is wrong"},
		{"scrypt", password, "1.3.6.1.4.1.11591.4.11 is not PBKDF2; encrypt the key again"},
		{"pbes1", password, "1.2.840.113549.1.12.1.3 is not PBES2; encrypt the key again"},
		{"camellia", password, "neither AES nor triple DES"},
	} {
		key := testdata(t, tt.key)
		for _, order := range [][][]byte{{cert, key}, {key, cert}} {
			name := writeFile(t, order...)
			c, err := New(Options{CertificateKeyFile: name, CertificateKeyFilePassword: tt.password})
			if tt.want == "" {
				if err != nil || len(c.tls.Certificates) != 1 {
					t.Errorf("%s with password %q: %v", tt.key, tt.password, err)
				}
				continue
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), `tlsCertificateKeyFile "`+name+`": `) ||
				tt.password != "" && strings.Contains(err.Error(), tt.password) {
				t.Errorf("%s: %v, want %q", tt.key, err, tt.want)
			}
		}
	}
}

// A wrong password must not pass by chance: the padding alone fits once in 256
// times.
func TestWrongPasswords(t *testing.T) {
	for _, name := range []string{"aes128-sha1", "legacy-aes128"} {
		block, _ := pem.Decode(testdata(t, name))
		for i := range 1000 {
			if _, err := decrypt(block, strings.Repeat("x", 1+i%40)+string(rune(i))); err != errPasswordWrong {
				t.Fatalf("%s with wrong password %d: %v", name, i, err)
			}
		}
	}
}

func TestBadFiles(t *testing.T) {
	cert, key := testdata(t, "cert"), testdata(t, "sec1")
	broken := []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
	for name, tt := range map[string]struct {
		o    Options
		want string
	}{
		"no CA file":    {Options{CAFile: "/does/not/exist"}, `tlsCAFile "/does/not/exist": no such file`},
		"empty CA file": {Options{CAFile: writeFile(t)}, "there is no certificate"},
		"key as CA":     {Options{CAFile: writeFile(t, key)}, "there is no certificate"},
		"broken CA":     {Options{CAFile: writeFile(t, cert, broken)}, "certificate 2: "},
		"no key file":   {Options{CertificateKeyFile: "/does/not/exist"}, `tlsCertificateKeyFile "/does/not/exist": no such file`},
		"no key":        {Options{CertificateKeyFile: writeFile(t, cert)}, "there is no private key"},
		"no cert":       {Options{CertificateKeyFile: writeFile(t, key)}, "there is no certificate"},
		"broken cert":   {Options{CertificateKeyFile: writeFile(t, broken, key)}, "x509: "},
		"empty":         {Options{CertificateKeyFile: writeFile(t)}, "there is no certificate"},
		"directory":     {Options{CertificateKeyFile: t.TempDir()}, "is a directory"},
	} {
		_, err := New(tt.o)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func FuzzPBES2(f *testing.F) {
	for _, name := range []string{"aes128-sha1", "aes192-sha512", "aes256-sha224", "aes256-sha256", "des3-sha384", "scrypt", "pbes1", "camellia"} {
		block, _ := pem.Decode(testdata(f, name))
		f.Add(block.Bytes, password)
	}
	f.Add([]byte{0x30, 0}, "")
	f.Fuzz(func(t *testing.T, der []byte, password string) {
		p, err := parsePBES2(der)
		if err != nil || p.iterations > maxFuzzed {
			return
		}
		if key, err := p.decrypt(password); err == nil && !isKey(key) {
			t.Fatalf("%x is no key", key)
		}
	})
}

// maxFuzzed keeps the fuzzer from waiting for key derivations; it is the highest
// count of the seeds.
const maxFuzzed = 4096
