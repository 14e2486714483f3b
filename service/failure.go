package service

import (
	"errors"
	"fmt"
	"strings"

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
	var p host.Problems
	var l *host.ListenError
	switch failures := failuresOf(err); {
	case errors.As(err, &e):
		return e
	case len(failures) > 0:
		return errorOf(failures)
	case errors.As(err, &l):
		return &control.Error{Code: control.CodeFailed, Message: oneLine(err), Hint: l.Hint()}
	case errors.As(err, &p):
		return invalid(p)
	}
	return &control.Error{Code: control.CodeFailed, Message: oneLine(err)}
}

// failuresOf are the apps' failures in err when it is nothing else; the host
// joins those of all apps that one change concerns.
func failuresOf(err error) []*apps.Failure {
	if f, ok := err.(*apps.Failure); ok {
		return []*apps.Failure{f}
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	var all []*apps.Failure
	for _, err := range joined.Unwrap() {
		f, ok := err.(*apps.Failure)
		if !ok {
			return nil
		}
		all = append(all, f)
	}
	return all
}

// errorOf tells of failures, at least one, together.
func errorOf(failures []*apps.Failure) *control.Error {
	e := &control.Error{Code: control.CodeFailed, Hint: failures[0].Hint}
	var what []string
	for _, f := range failures {
		what = append(what, f.Error())
		if len(failures) > 1 && len(f.Output) > 0 {
			e.Output = append(e.Output, apps.ShowName(f.App)+":")
		}
		e.Output = append(e.Output, f.Output...)
	}
	e.Message = strings.Join(what, "; ")
	return e
}

// partly is the error of a change in which some apps failed, each on its own,
// while so many others were changed; nil when none failed.
func partly(failures []*apps.Failure, done int) error {
	if len(failures) == 0 {
		return nil
	}
	e := errorOf(failures)
	if done > 0 {
		e.Message += "; the other apps are done"
	}
	return e
}

// oneLine is an error's text without the line breaks of errors.Join.
func oneLine(err error) string {
	return strings.ReplaceAll(err.Error(), "\n", "; ")
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
