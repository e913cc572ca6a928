package engine

import (
	"duizhang/engine/schema"
	"duizhang/rules"
)

// merchants tell whose a row is (rules 2): what the registry says of merchants and
// stores, as arrays by word code. The plan and the store ask the same.
type merchants struct {
	institutions   map[[2]uint32]uint32
	storeMerchant  []uint32 // by word of a store_id: its merchant, 0 if unknown
	storeReceiving []uint32 // likewise: the account that it collects into
	defaultPID     uint32
}

// newMerchants makes words of all that the registry says of merchants and stores, and
// looks it up once.
func newMerchants(words *schema.Words, reg *schema.Registry, defaultPID string) merchants {
	m := merchants{institutions: map[[2]uint32]uint32{}, defaultPID: words.Code(defaultPID)}
	for i := range reg.Merchants {
		one := &reg.Merchants[i]
		pid := words.Code(one.PID)
		at := [2]uint32{words.Code(one.InstitutionAccount), words.Code(one.InstitutionID)}
		if one.InstitutionAccount == "" {
			continue
		}
		if _, taken := m.institutions[at]; !taken {
			m.institutions[at] = pid
		}
	}
	for i := range reg.Stores {
		s := &reg.Stores[i]
		words.Code(s.ID)
		words.Code(s.Merchant)
		words.Code(s.Receiving)
	}
	n := len(words.Texts())
	m.storeMerchant, m.storeReceiving = make([]uint32, n), make([]uint32, n)
	for i := range reg.Stores {
		s := &reg.Stores[i]
		if id := words.Code(s.ID); m.storeMerchant[id] == 0 {
			m.storeMerchant[id] = words.Code(s.Merchant)
			m.storeReceiving[id] = words.Code(s.Receiving)
		}
	}
	return m
}

// ofStore is the merchant of a store, 0 if no registry has it.
func (m *merchants) ofStore(store uint32) uint32 {
	if store >= uint32(len(m.storeMerchant)) {
		return 0
	}
	return m.storeMerchant[store]
}

// receiving is the account that a store collects into, 0 if it is its merchant's.
func (m *merchants) receiving(store uint32) uint32 {
	if store >= uint32(len(m.storeReceiving)) { // a word that no registry has
		return 0
	}
	return m.storeReceiving[store]
}

// billMerchant is the merchant of a bill row (rules 2); 0 if it cannot be known.
func (m *merchants) billMerchant(flags uint8, account, sub, store uint32) uint32 {
	if flags&schema.Institution != 0 {
		if merchant, ok := m.institutions[[2]uint32{account, sub}]; ok {
			return merchant
		}
		if merchant := m.ofStore(store); merchant != 0 {
			return merchant
		}
	}
	if account != 0 {
		return account
	}
	return m.defaultPID
}

// posMerchant is the merchant of a POS row (rules 2); 0 if it cannot be known. isPID
// tells which words are PIDs.
func (m *merchants) posMerchant(given, store uint32, isPID []bool) uint32 {
	merchant := given
	if merchant == 0 {
		merchant = m.ofStore(store)
	}
	if merchant == 0 {
		merchant = m.defaultPID
	}
	if merchant == 0 || !isPID[merchant] {
		return 0
	}
	return merchant
}

// silent: a POS row that names neither merchant nor store may go on with the first
// order, or refund, of its number and source, whosever that is.
func silent(merchant, store uint32) bool { return merchant == 0 && store == 0 }

// merchantWords are the words as merchants: which of them are PIDs, and where the
// group of each begins.
type merchantWords struct {
	isPID []bool
	group []int32
}

// merchantWords are those of all words that there are by now: a batch asks once, and
// looks each row up.
func (s *Store) merchantWords() merchantWords {
	texts := s.opt.Words.Texts()
	s.wordMu.Lock()
	defer s.wordMu.Unlock()
	known := &s.byWord
	for code := len(known.group); code < len(texts); code++ {
		known.isPID = append(known.isPID, rules.IsPID(texts[code]))
		known.group = append(known.group, s.groupOf(texts[code]))
	}
	return *known
}

// groupOf is the first partition of a merchant's group.
func (s *Store) groupOf(merchant string) int32 {
	return s.bucketOf(s.hash([]byte(merchant))) &^ int32(s.opt.Layout.spread()-1)
}
