package apps

import "os"

// account is nobody else on Windows: users are not switched there.
type account struct{}

func lookupAccount(name, group string) (*account, error) {
	switch {
	case name != "":
		return nil, &Complaint{"user", "user does not exist on Windows", "remove it"}
	case group != "":
		return nil, &Complaint{"gid", "gid does not exist on Windows", "remove it"}
	}
	return nil, nil
}

func (*account) environ() map[string]string { return nil }
func (*account) own(*os.File) error         { return nil }
