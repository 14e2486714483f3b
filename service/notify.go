package service

import (
	"context"
	"time"

	sd "github.com/coreos/go-systemd/v22/daemon"
)

// These tell the service manager how the daemon stands (sd_notify(3)). Without
// one they do nothing; that a message is lost is for the manager to notice.

func notifyReady()    { sd.SdNotify(false, sd.SdNotifyReady) }
func notifyStopping() { sd.SdNotify(false, sd.SdNotifyStopping) }

// keepWatchdog gives WATCHDOG=1 at half the interval that the service manager
// wants it in (WatchdogSec, systemd.service(5)), as long as probe returns: a
// daemon that hangs falls silent and is replaced. It returns when ctx ends, or
// at once when nobody wants to know.
func keepWatchdog(ctx context.Context, probe func()) {
	interval, err := sd.SdWatchdogEnabled(false)
	if err != nil || interval <= 0 {
		return
	}
	tick := time.NewTicker(interval / 2)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			probe()
			sd.SdNotify(false, sd.SdNotifyWatchdog)
		}
	}
}
