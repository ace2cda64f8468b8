package mongod

import "crypto/tls"

// certified is the user whom the client's certificate names.
func (c *conn) certified() (u userName, ok bool) {
	t, ok := c.net.(*tls.Conn)
	if !ok {
		return u, false
	}
	peers := t.ConnectionState().PeerCertificates
	if len(peers) == 0 {
		return u, false
	}
	u = userName{peers[0].Subject.String(), "$external"}
	return u, c.server.user(u) != nil
}
