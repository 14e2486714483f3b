package dns01

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"roost/internal/unit"
)

func TestWhatIsWrongWithAProviderIsToldAtOnce(t *testing.T) {
	t.Setenv("ROOST_TEST_SECRET", "hush")
	here, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	key, acme, odd := file(t, secret), file(t, accounts), file(t, "hush hush")
	for _, tt := range []struct {
		config Config
		want   string // keys and part of what is said, in order of the keys
	}{
		{Config{}, ""},
		{Config{Provider: "rfc2136", Server: "192.0.2.53", KeyName: "roost", SecretFile: key, Resolver: "[2001:db8::1]:5353", Propagation: unit.Duration(longest)}, ""},
		{Config{Provider: "rfc2136", Server: "2001:db8::1", KeyName: "roost", SecretFile: key}, ""},
		{Config{Provider: "acme-dns", URL: "https://auth.example.com", SecretFile: acme, All: true}, ""},
		{Config{Provider: "exec", Command: "'" + here + "' a"}, ""},
		{Config{Provider: "webhook", URL: "http://127.0.0.1:8053/hook", SecretEnv: "ROOST_TEST_SECRET"}, ""},
		{Config{Provider: "webhook", URL: "https://example.com"}, ""},
		{Config{All: true}, "provider: dns names no provider"},
		{Config{Provider: "route53"}, `provider: unknown DNS provider "route53"`},
		{Config{Provider: "rfc2136"}, "key_name: the DNS provider rfc2136 needs key_name|secret_file: the DNS provider rfc2136 needs a secret|server: the DNS"},
		{Config{Provider: "rfc2136", Server: "ns1/x", KeyName: "a..b", SecretFile: odd, Propagation: unit.Duration(time.Hour)},
			`key_name: "a..b" is not|propagation: propagation = "1h0m0s"|secret_file: the secret is not a TSIG key|server: "ns1/x" is not`},
		{Config{Provider: "rfc2136", Server: "ns1:0", KeyName: "a", SecretFile: key, Resolver: ":53"}, "resolver: |server: "},
		{Config{Provider: "rfc2136", Server: "ns1", KeyName: "a", SecretFile: key, URL: "https://a", Command: here}, "command: the DNS provider rfc2136 has no use|url: the DNS provider"},
		{Config{Provider: "acme-dns", URL: "https://a", SecretFile: key}, "secret_file: the accounts are"},
		{Config{Provider: "acme-dns", URL: "http://auth.example.com", SecretFile: filepath.Join(t.TempDir(), "none")}, "secret_file: cannot read the secret|url: auth.example.com cannot be trusted"},
		{Config{Provider: "webhook", URL: "https://me:hush@example.com", SecretFile: key, SecretEnv: "X"}, "secret_env: both|url: url holds a user"},
		{Config{Provider: "webhook", URL: "ftp://example.com", SecretEnv: "ROOST_TEST_NONE"}, "secret_env: cannot read the secret: the variable ROOST_TEST_NONE|url: url is not"},
		{Config{Provider: "webhook", URL: "https://a", SecretFile: odd}, "secret_file: the secret is not a bearer token"},
		{Config{Provider: "exec", Command: "'open", SecretEnv: "X"}, "command: command cannot be split|secret_env: the DNS provider exec"},
		{Config{Provider: "exec", Command: "/nowhere/hook"}, "command: cannot run the command: "},
		{Config{Provider: "exec", Command: "./check_test.go"}, "command: cannot run the command: "},
	} {
		var got []string
		tt.config.Check(func(host string) bool { return host == "127.0.0.1" }, func(key, hint, format string, args ...any) {
			got = append(got, key+": "+fmt.Sprintf(format, args...))
			if hint == "" || strings.Contains(fmt.Sprint(got), "hush") || strings.Contains(fmt.Sprint(got), secret) {
				t.Errorf("%+v: %q, hint %q", tt.config, got, hint)
			}
		})
		slices.Sort(got)
		want := strings.Split(tt.want, "|")
		if tt.want == "" {
			want = nil
		}
		if !slices.EqualFunc(got, want, strings.HasPrefix) {
			t.Errorf("%+v: %q, want %q", tt.config, got, want)
		}
		if _, err := New(tt.config); len(want) == 0 && tt.config.Provider != "" && err != nil {
			t.Errorf("%+v: %v", tt.config, err)
		}
	}
}

func TestAProgramIsNotLookedForInTheFolderOfTheCommand(t *testing.T) {
	name := filepath.Join(t.TempDir(), "hook")
	if err := os.WriteFile(name, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Dir(name))
	told := ""
	Config{Provider: Exec, Command: "./hook"}.Check(nil, func(key, hint, format string, args ...any) { told += fmt.Sprintf(format, args...) })
	if !strings.Contains(told, "./hook") {
		t.Errorf("told %q", told)
	}
}
