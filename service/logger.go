package service

import (
	"io"
	"log/slog"

	"gopkg.in/natefinch/lumberjack.v2"
)

// openLog opens the program's own log: JSON lines, rotated like the apps'
// output. What is logged goes to words as well, when that is not nil.
func openLog(path string, words slog.Handler) (*slog.Logger, io.Closer) {
	file := &lumberjack.Logger{Filename: path, MaxSize: 10, MaxBackups: 10, Compress: true}
	var h slog.Handler = slog.NewJSONHandler(file, nil)
	if words != nil {
		h = slog.NewMultiHandler(h, words)
	}
	return slog.New(h), file
}
