package tls

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

// fall is why one CA, by Config.name, issued nothing.
type fall struct {
	ca    string
	err   error
	until time.Time // when it wants to be asked again, where that is known
	held  bool      // it was not asked, for this was not yet; err is from before
}

// falls are why none of the CAs that were asked issued anything, in turn.
type falls []fall

func (f falls) Error() string {
	var words []string
	for _, one := range f {
		words = append(words, one.ca+": "+one.err.Error())
	}
	return strings.Join(words, "; ")
}

// Unwrap returns the error of each CA.
func (f falls) Unwrap() (all []error) {
	for _, one := range f {
		all = append(all, one.err)
	}
	return all
}

// until is when a CA may be asked again, the zero Time now, and held whether
// none was asked this time.
func (f falls) until() (until time.Time, held bool) {
	held = len(f) > 0
	for i, one := range f {
		if i == 0 || one.until.Before(until) {
			until = one.until
		}
		held = held && one.held
	}
	return until, held
}

// heldUntil is until of an error of certmagic.
func heldUntil(err error) (time.Time, bool) {
	var all falls
	errors.As(err, &all)
	return all.until()
}

// shared reports whether any other CA would have said the same: the name was
// not proved. A limit, a policy or trouble of the CA is its own.
func (f fall) shared() bool {
	var proof unproven
	return errors.As(f.err, &proof) || unmet(f.err)
}

// unmet reports whether a CA that connected to the name met nobody, or somebody else.
func unmet(err error) bool {
	var problem acme.Problem
	if !errors.As(err, &problem) {
		return false
	}
	switch kind(problem) {
	case "connection", "dns", "tls", "incorrectResponse":
		return true
	case "unauthorized": // also what is said of accounts, which is not of a challenge
		_, challenge := problem.Resource.(acme.Authorization)
		return challenge
	}
	return false
}

// explain makes of an error of certmagic one for people, with all that the CAs have said.
func (i *issuance) explain(name string, err error) *Failure {
	var all falls
	if !errors.As(err, &all) {
		all = falls{{ca: i.config.name(), err: err}}
	}
	var texts, hints []string
	for _, one := range all {
		f := explain(one.ca, name, one.err)
		if unmet(one.err) && kindOf(one.err) != "dns" && (i.httpPort != 0 && i.httpPort != 80 || i.httpsPort != 0 && i.httpsPort != 443) {
			f.Text += fmt.Sprintf("; a public CA connects to ports 80 and 443, and this box listens on %s", ports(i.httpPort, i.httpsPort))
		}
		if len(all) > 1 && !strings.HasPrefix(f.Text, one.ca) {
			f.Text = one.ca + ": " + f.Text
		}
		texts = append(texts, f.Text)
		if f.Hint != "" && !slices.Contains(hints, f.Hint) {
			hints = append(hints, f.Hint)
		}
	}
	return &Failure{strings.Join(texts, "; "), strings.Join(hints, "; ")}
}

// explain is what to tell of the error of one CA: what it says where it says
// something, and else the cause without the name, which people know.
func explain(ca, name string, err error) *Failure {
	var proof unproven
	if errors.As(err, &proof) {
		return &Failure{Text: proof.Error()}
	}
	var problem acme.Problem
	if errors.As(err, &problem) {
		return refusal(ca, name, problem)
	}
	text := strings.Join(strings.Fields(err.Error()), " ")
	for _, noise := range []string{"[" + name + "] Obtain: ", "[" + name + "] Renew: ", "[" + name + "] "} {
		text = strings.TrimPrefix(text, noise)
	}
	return &Failure{Text: text, Hint: unreachable(ca, err)}
}

// kind is the type of problem, without the namespace of ACME (RFC 8555, section 6.7).
func kind(problem acme.Problem) string {
	return strings.TrimPrefix(problem.Type, acme.ProblemTypeNamespace)
}

// kindOf is the kind of an error; empty when the CA said nothing.
func kindOf(err error) string {
	var problem acme.Problem
	if !errors.As(err, &problem) {
		return ""
	}
	return kind(problem)
}
