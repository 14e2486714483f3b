package tls

import (
	"context"
	"log/slog"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// zapTo gives certmagic, which writes through zap, a logger that ends in log.
// Its Info is our Debug, for it tells each step; its warnings and errors are
// our Warn when loud, for certmagic tries again by itself. Where its errors
// come back to us as well, it is not loud, so that nothing is told twice.
func zapTo(log *slog.Logger, loud bool) *zap.Logger {
	return zap.New(bridge{log: log, loud: loud})
}

type bridge struct {
	log  *slog.Logger
	loud bool
}

func (b bridge) level(level zapcore.Level) slog.Level {
	if b.loud && level >= zapcore.WarnLevel {
		return slog.LevelWarn
	}
	return slog.LevelDebug
}

// Enabled implements zapcore.Core; zap's own Debug is never wanted.
func (b bridge) Enabled(level zapcore.Level) bool {
	return level > zapcore.DebugLevel && b.log.Enabled(context.Background(), b.level(level))
}

// With implements zapcore.Core.
func (b bridge) With(fields []zapcore.Field) zapcore.Core {
	return bridge{log: b.log.With(attrs(fields)...), loud: b.loud}
}

// Check implements zapcore.Core.
func (b bridge) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if b.Enabled(e.Level) {
		return checked.AddCore(e, b)
	}
	return checked
}

// Write implements zapcore.Core.
func (b bridge) Write(e zapcore.Entry, fields []zapcore.Field) error {
	b.log.Log(context.Background(), b.level(e.Level), e.Message, attrs(fields)...)
	return nil
}

// Sync implements zapcore.Core; slog holds nothing back.
func (b bridge) Sync() error { return nil }

func attrs(fields []zapcore.Field) []any {
	list := make([]any, 0, len(fields))
	for _, f := range fields {
		into := zapcore.NewMapObjectEncoder()
		f.AddTo(into)
		if v, ok := into.Fields[f.Key]; ok {
			list = append(list, slog.Any(f.Key, v))
		}
	}
	return list
}
