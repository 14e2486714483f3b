package service

import (
	"errors"
	"fmt"
	"slices"

	"roost/apps"
	"roost/host"
	"roost/service/control"
)

// errStopping is the answer to changes that the daemon's end cuts short.
var errStopping = &control.Error{
	Code:    control.CodeStopping,
	Message: "roost is shutting down; the change was not made",
	Hint:    "try again when it runs",
}

// failed makes any error of an edit fit for the socket.
func failed(err error) *control.Error {
	var e *control.Error
	var f *apps.Failure
	var p host.Problems
	switch {
	case errors.As(err, &e):
		return e
	case errors.As(err, &f):
		return &control.Error{Code: control.CodeFailed, Message: err.Error(), Hint: f.Hint, Output: f.Output}
	case errors.As(err, &p):
		return invalid(p)
	}
	return &control.Error{Code: control.CodeFailed, Message: err.Error()}
}

// together is one error for the apps of a change that failed each on its own,
// while so many others were changed.
func together(failures []*control.Error, done int) error {
	if len(failures) == 0 {
		return nil
	}
	all := *failures[0]
	for _, f := range failures[1:] {
		all.Message += "; " + f.Message
		all.Output = slices.Concat(all.Output, f.Output)
	}
	if done > 0 {
		all.Message += "; the other apps are done"
	}
	return &all
}

func invalid(problems []host.Problem) *control.Error {
	e := &control.Error{Code: control.CodeInvalid, Message: "the configuration has a problem; nothing was changed"}
	if len(problems) > 1 {
		e.Message = fmt.Sprintf("the configuration has %d problems; nothing was changed", len(problems))
	}
	for _, p := range problems {
		e.Problems = append(e.Problems, p.String())
	}
	return e
}
