package tlsconf

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"hash"
)

// The types of PKCS#8 (RFC 5208) and of PBES2 (RFC 8018, appendix A), with
// their names.
type encryptedPrivateKeyInfo struct {
	EncryptionAlgorithm pkix.AlgorithmIdentifier
	EncryptedData       []byte
}

type pbes2Params struct {
	KeyDerivationFunc pkix.AlgorithmIdentifier
	EncryptionScheme  pkix.AlgorithmIdentifier
}

type pbkdf2Params struct {
	Salt           []byte
	IterationCount int
	KeyLength      int                      `asn1:"optional"`
	PRF            pkix.AlgorithmIdentifier `asn1:"optional"`
}

var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
)

const hmacWithSHA1 = "1.2.840.113549.2.7"

var prfs = map[string]func() hash.Hash{
	hmacWithSHA1:          sha1.New,
	"1.2.840.113549.2.8":  sha256.New224,
	"1.2.840.113549.2.9":  sha256.New,
	"1.2.840.113549.2.10": sha512.New384,
	"1.2.840.113549.2.11": sha512.New,
}

// blockCipher is an encryption scheme in CBC mode.
type blockCipher struct {
	keySize int
	block   func(key []byte) (cipher.Block, error)
}

var schemes = map[string]blockCipher{
	"1.2.840.113549.3.7":      {24, des.NewTripleDESCipher},
	"2.16.840.1.101.3.4.1.2":  {16, aes.NewCipher},
	"2.16.840.1.101.3.4.1.22": {24, aes.NewCipher},
	"2.16.840.1.101.3.4.1.42": {32, aes.NewCipher},
}

// maxIterations bounds the time that a file can cost, to seconds.
const maxIterations = 10_000_000

// pbes2 is everything about an encrypted key but the password.
type pbes2 struct {
	prf        func() hash.Hash
	salt       []byte
	iterations int
	cipher     blockCipher
	iv         []byte
	data       []byte
}

// decryptPKCS8 decrypts an EncryptedPrivateKeyInfo.
func decryptPKCS8(der []byte, password string) ([]byte, error) {
	p, err := parsePBES2(der)
	if err != nil {
		return nil, fmt.Errorf("encrypted key: %w", err)
	}
	return p.decrypt(password)
}

func parsePBES2(der []byte) (p pbes2, err error) {
	const convert = "; encrypt the key again, with: openssl pkcs8 -topk8 -v2 aes-256-cbc"
	var info encryptedPrivateKeyInfo
	if err := unmarshal(der, &info); err != nil {
		return p, err
	}
	if a := info.EncryptionAlgorithm.Algorithm; !a.Equal(oidPBES2) {
		return p, fmt.Errorf("the encryption %v is not PBES2"+convert, a)
	}
	var params pbes2Params
	if err := unmarshal(info.EncryptionAlgorithm.Parameters.FullBytes, &params); err != nil {
		return p, err
	}
	if a := params.KeyDerivationFunc.Algorithm; !a.Equal(oidPBKDF2) {
		return p, fmt.Errorf("the key derivation %v is not PBKDF2"+convert, a)
	}
	var kdf pbkdf2Params
	if err := unmarshal(params.KeyDerivationFunc.Parameters.FullBytes, &kdf); err != nil {
		return p, err
	}
	if kdf.IterationCount < 1 || kdf.IterationCount > maxIterations {
		return p, fmt.Errorf("iteration count %d is not between 1 and %d", kdf.IterationCount, maxIterations)
	}
	prf := hmacWithSHA1
	if kdf.PRF.Algorithm != nil {
		prf = kdf.PRF.Algorithm.String()
	}
	var ok bool
	if p.prf, ok = prfs[prf]; !ok {
		return p, fmt.Errorf("the pseudorandom function %s is not supported"+convert, prf)
	}
	if p.cipher, ok = schemes[params.EncryptionScheme.Algorithm.String()]; !ok {
		return p, fmt.Errorf("the cipher %v is neither AES nor triple DES in CBC mode"+convert, params.EncryptionScheme.Algorithm)
	}
	if kdf.KeyLength != 0 && kdf.KeyLength != p.cipher.keySize {
		return p, fmt.Errorf("the key length %d does not fit the cipher, which has %d", kdf.KeyLength, p.cipher.keySize)
	}
	if err := unmarshal(params.EncryptionScheme.Parameters.FullBytes, &p.iv); err != nil {
		return p, err
	}
	p.salt, p.iterations, p.data = kdf.Salt, kdf.IterationCount, info.EncryptedData
	return p, nil
}

func unmarshal(der []byte, v any) error {
	rest, err := asn1.Unmarshal(der, v)
	if err == nil && len(rest) > 0 {
		err = errors.New("there are bytes after the end")
	}
	return err
}

func (p pbes2) decrypt(password string) ([]byte, error) {
	key, err := pbkdf2.Key(p.prf, password, p.salt, p.iterations, p.cipher.keySize)
	if err != nil {
		return nil, err
	}
	block, err := p.cipher.block(key)
	if err != nil {
		return nil, err
	}
	size := block.BlockSize()
	if len(p.iv) != size || len(p.data) == 0 || len(p.data)%size != 0 {
		return nil, errors.New("encrypted key: the lengths do not fit the cipher")
	}
	plain := make([]byte, len(p.data))
	cipher.NewCBCDecrypter(block, p.iv).CryptBlocks(plain, p.data)
	padding := int(plain[len(plain)-1])
	if padding < 1 || padding > size || !isKey(plain[:len(plain)-padding]) {
		return nil, errPasswordWrong
	}
	return plain[:len(plain)-padding], nil
}
