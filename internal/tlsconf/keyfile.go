package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// readFile leaves the name out of errors: callers give it, with the option's.
func readFile(name string) ([]byte, error) {
	b, err := os.ReadFile(name)
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return b, err
}

func readAuthorities(name string) (*x509.CertPool, error) {
	rest, err := readFile(name)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	for n := 0; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			if n == 0 {
				return nil, errors.New("there is no certificate in PEM form in the file")
			}
			return pool, nil
		}
		if block.Type != certificateBlock {
			continue
		}
		n++
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", n, err)
		}
		pool.AddCert(cert)
	}
}

// The types of PEM blocks.
const (
	certificateBlock  = "CERTIFICATE"
	keyBlock          = "PRIVATE KEY" // PKCS#8; other forms put a word before it
	encryptedKeyBlock = "ENCRYPTED PRIVATE KEY"
)

func readCertificateKey(name, password string) (tls.Certificate, error) {
	rest, err := readFile(name)
	if err != nil {
		return tls.Certificate{}, err
	}
	var certs, key []byte
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		switch {
		case block.Type == certificateBlock:
			certs = append(certs, pem.EncodeToMemory(block)...)
		case strings.HasSuffix(block.Type, keyBlock) && key == nil:
			if block, err = decrypt(block, password); err != nil {
				return tls.Certificate{}, err
			}
			key = pem.EncodeToMemory(block)
		}
	}
	switch {
	case certs == nil:
		return tls.Certificate{}, errors.New("there is no certificate in PEM form in the file; it must hold both the certificate and its key")
	case key == nil:
		return tls.Certificate{}, errors.New("there is no private key in PEM form in the file; it must hold both the certificate and its key")
	}
	return tls.X509KeyPair(certs, key)
}

var (
	errPasswordMissing = errors.New("the key is encrypted; set tlsCertificateKeyFilePassword")
	errPasswordWrong   = errors.New("the key cannot be decrypted: tlsCertificateKeyFilePassword is wrong, or the file is damaged")
)

// decrypt gives a block with a key that is not encrypted.
func decrypt(block *pem.Block, password string) (*pem.Block, error) {
	// The encryption of the PEM block itself, with a DEK-Info header, is weak
	// and deprecated, but such files are around.
	//lint:ignore SA1019 see above
	legacy := x509.IsEncryptedPEMBlock(block)
	switch {
	case !legacy && block.Type != encryptedKeyBlock:
		return block, nil
	case password == "":
		return nil, errPasswordMissing
	case legacy:
		//lint:ignore SA1019 see above
		der, err := x509.DecryptPEMBlock(block, []byte(password))
		if err != nil || !isKey(der) {
			return nil, errPasswordWrong
		}
		return &pem.Block{Type: block.Type, Bytes: der}, nil
	default:
		der, err := decryptPKCS8(block.Bytes, password)
		if err != nil {
			return nil, err
		}
		return &pem.Block{Type: keyBlock, Bytes: der}, nil
	}
}

// isKey tells a key from the noise that a wrong password makes, which has the
// right padding once in 256 times.
func isKey(der []byte) bool {
	if _, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return true
	}
	if _, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return true
	}
	_, err := x509.ParseECPrivateKey(der)
	return err == nil
}
