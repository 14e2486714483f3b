package apps

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // time zones on a box without them, such as an empty container

	"github.com/netresearch/go-cron"
)

// times are the points in time that a cron expression names.
type times struct {
	cron cron.Schedule
	zone *time.Location
}

// cronSyntax is crontab(5) with names, seconds when there are six fields,
// "@daily" and its like, "@every 10m", and L, W and # as croner has them.
var cronSyntax = cron.MustNewParser(cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.DowOrDom |
	cron.Descriptor | cron.Extended)

// parseTimes reads a cron expression for a time zone, the box's when that is empty.
func parseTimes(text, zone string) (*times, error) {
	t := &times{zone: time.Local}
	if zone != "" {
		var err error
		if t.zone, err = loadZone(zone); err != nil {
			return nil, err
		}
	}
	if strings.Contains(text, "=") {
		return nil, errors.New("a time zone is written with time_zone")
	}
	schedule, err := cronSyntax.Parse(text)
	if err != nil {
		return nil, blame(text, err)
	}
	t.cron = schedule
	if t.next(time.Now()).IsZero() {
		return nil, errors.New("that time never comes")
	}
	return t, nil
}

// blame names the field of a cron expression that cannot be read.
func blame(text string, err error) error {
	names := []string{"second", "minute", "hour", "day of the month", "month", "day of the week"}
	fields := strings.Fields(text)
	if n := len(fields); n == 5 || n == 6 {
		for i, field := range fields {
			alone := slices.Repeat([]string{"*"}, n)
			alone[i] = field
			if _, wrong := cronSyntax.Parse(strings.Join(alone, " ")); wrong != nil {
				return fmt.Errorf("the %s is %q: %w", names[6-n+i], field, wrong)
			}
		}
	}
	return err
}

func loadZone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, fmt.Errorf("unknown time zone %q", name)
	}
	return zone, nil
}

// next is the first of the times after now. Of an hour that the clock goes
// through twice it is in the first only, unless every hour is named; what lies
// in an hour that the clock skips comes right after.
func (t *times) next(now time.Time) time.Time {
	next := t.cron.Next(now.Round(0).In(t.zone))
	for !t.hourly() && repeated(next) {
		next = t.cron.Next(next)
	}
	return next
}

func (t *times) hourly() bool {
	const all = 1<<24 - 1
	s, fields := t.cron.(*cron.SpecSchedule)
	return !fields || s.Hour&all == all
}

// repeated reports whether the clock has shown t before, and then was set back.
func repeated(t time.Time) bool {
	start, _ := t.ZoneBounds()
	if t.IsZero() || start.IsZero() {
		return false
	}
	_, before := start.Add(-1).Zone()
	_, now := t.Zone()
	return t.Sub(start) < time.Duration(before-now)*time.Second
}

// clock tells when one of its times has come. It goes by the wall clock, which
// may be set or stand still while the box sleeps.
type clock struct {
	text, zone string
	times      *times    // nil: it never does
	next       time.Time // the first of the times that has not come
	seen       time.Time // when it was last looked at, the latest
}

const (
	// lookAgain is how long a clock is trusted that has not been looked at.
	lookAgain = time.Minute
	// setBack is how far the clock must be set back for its times to come again.
	setBack = time.Minute
	// tooLate is how long after a time that was missed it does not count any more.
	tooLate = time.Hour
)

// set gives the clock other times, unless they are those that it has.
func (c *clock) set(now time.Time, text, zone string) error {
	if c.text == text && c.zone == zone {
		return nil
	}
	*c = clock{text: text, zone: zone}
	if text == "" {
		return nil
	}
	var err error
	if c.times, err = parseTimes(text, zone); err != nil {
		return err
	}
	c.seen, c.next = now.Round(0), c.times.next(now)
	return nil
}

// due reports whether a time has come since the last look. Of several that
// were missed, one counts.
func (c *clock) due(now time.Time) bool {
	if c.times == nil {
		return false
	}
	now = now.Round(0)
	if c.seen.Sub(now) > setBack {
		c.seen, c.next = now, c.times.next(now)
	}
	if now.After(c.seen) {
		c.seen = now
	}
	if c.next.IsZero() || now.Before(c.next) {
		return false
	}
	late := now.Sub(c.next)
	c.next = c.times.next(now)
	return late < tooLate
}

// wake is when to look again; zero: never.
func (c *clock) wake(now time.Time) time.Time {
	switch later := now.Add(lookAgain); {
	case c.times == nil || c.next.IsZero():
		return time.Time{}
	case c.next.Before(later):
		return c.next
	default:
		return later
	}
}
