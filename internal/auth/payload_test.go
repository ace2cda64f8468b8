package auth

import "testing"

func FuzzPayload(f *testing.F) {
	f.Add(document(nil).binary("s", make([]byte, 64)).string("h", "sts.amazonaws.com").int32("p", 110).end())
	f.Add(newOIDCServer().idpInfo)
	f.Fuzz(func(t *testing.T, payload []byte) {
		list, err := elements(payload)
		if err != nil {
			return
		}
		size := 5
		for _, e := range list {
			size += 2 + len(e.key) + len(e.data)
		}
		if size > len(payload) {
			t.Fatalf("%d bytes of elements from %d of payload", size, len(payload))
		}
		parseIdPInfo(payload)
		new(awsConversation).parseServerFirst(payload)
	})
}
