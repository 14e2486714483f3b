package apps

// Complaint is one thing wrong with a Config.
type Complaint struct {
	Key  string // the key that is wrong, as it is written in roost.toml; "" for the app as a whole
	What string // what is wrong
	Hint string // what to do about it
}

func (c Complaint) String() string {
	if c.Hint == "" {
		return c.What
	}
	return c.What + ": " + c.Hint
}
