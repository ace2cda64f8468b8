package auth

// oneStep is a conversation that is complete with its first payload.
type oneStep []byte

// Start is the payload.
func (o oneStep) Start() []byte { return o }

// Step has nothing to add.
func (oneStep) Step([]byte) ([]byte, bool, error) { return nil, true, nil }

// newPLAIN is the conversation of PLAIN (RFC 4616): the password in clear,
// without another identity to act for.
func newPLAIN(username string, password Secret) Conversation {
	return oneStep("\x00" + username + "\x00" + string(password))
}

// newX509 is the one of MONGODB-X509: the certificate of the TLS connection
// says it all, and a user name is optional.
func newX509(username string) Conversation { return oneStep(username) }

// newJWTStep is MONGODB-OIDC with a token at hand: a JwtStepRequest.
func newJWTStep(token Secret) Conversation { return oneStep(jwtStepRequest(token)) }

func jwtStepRequest(token Secret) []byte {
	return document(nil).string("jwt", string(token)).end()
}
