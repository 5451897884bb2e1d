package datacat

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
)

func newKey() string {
	return hex.EncodeToString(randomBytes())
}

func newUUID() string {
	b := randomBytes()
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func randomBytes() []byte {
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		panic("datacat: no randomness: " + err.Error())
	}
	return b
}
