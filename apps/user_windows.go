package apps

import "os"

// account is nobody else on Windows: users are not switched there.
type account struct{}

func lookupAccount(name string) (*account, error) {
	if name == "" {
		return nil, nil
	}
	return nil, &Complaint{"user", "user does not exist on Windows", "remove it"}
}

func (*account) environ() map[string]string { return nil }
func (*account) own(*os.File) error         { return nil }
