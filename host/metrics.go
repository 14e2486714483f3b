package host

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"roost/apps"
	"roost/tls"
)

// collector turns the figures that the host keeps anyway into metrics when it
// is asked for them: requests pay nothing for Prometheus. Its labels are names
// of the Config and fixed words, so they are bounded.
type collector struct{ *Host }

func newMetrics(h *Host) http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collector{h})
	answer := promhttp.HandlerFor(r, promhttp.HandlerOpts{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		answer.ServeHTTP(w, r)
	})
}

// series is the metrics of one kind of thing that answers requests.
type series struct{ requests, duration, bytes, inFlight *prometheus.Desc }

func newSeries(prefix, label string) series {
	return series{
		requests: prometheus.NewDesc(prefix+"requests_total", "Requests answered, by class of status.", []string{label, "class"}, nil),
		duration: prometheus.NewDesc(prefix+"request_duration_seconds", "Time from a request's head to the end of its answer.", []string{label}, nil),
		bytes:    prometheus.NewDesc(prefix+"response_bytes_total", "Bytes of body sent.", []string{label}, nil),
		inFlight: prometheus.NewDesc(prefix+"requests_in_flight", "Requests being answered.", []string{label}, nil),
	}
}

var (
	siteSeries = newSeries("roost_site_", "site")
	appSeries  = newSeries("roost_app_", "app")

	instancesDesc   = prometheus.NewDesc("roost_app_instances", "Instances by state.", []string{"app", "state"}, nil)
	restartsDesc    = prometheus.NewDesc("roost_app_restarts", "Unwanted exits and replacements of the app's slots since they were made or reset.", []string{"app"}, nil)
	cpuDesc         = prometheus.NewDesc("roost_app_cpu_percent", "CPU of all instances with their children, per cent of one core.", []string{"app"}, nil)
	memoryDesc      = prometheus.NewDesc("roost_app_memory_bytes", "Resident memory of all instances with their children.", []string{"app"}, nil)
	waitingDesc     = prometheus.NewDesc("roost_app_requests_waiting", "Requests held because no instance is ready.", []string{"app"}, nil)
	expiryDesc      = prometheus.NewDesc("roost_certificate_expiry_timestamp_seconds", "When the certificate that is served expires.", []string{"name", "issuer"}, nil)
	fellDesc        = prometheus.NewDesc("roost_certificate_last_failure_timestamp_seconds", "When the last failed attempt to get or renew the certificate was.", []string{"name", "issuer"}, nil)
	failingDesc     = prometheus.NewDesc("roost_certificate_failing", "1 when the last attempt to get or renew the certificate failed, else 0.", []string{"name", "issuer"}, nil)
	ordersDesc      = prometheus.NewDesc("roost_certificate_orders_total", "Attempts to get or renew the certificate.", []string{"name", "issuer"}, nil)
	fallsDesc       = prometheus.NewDesc("roost_certificate_order_failures_total", "Failed attempts to get or renew the certificate.", []string{"name", "issuer"}, nil)
	askedDesc       = prometheus.NewDesc("roost_on_demand_asked_total", "Questions whether a name may have a certificate.", nil, nil)
	undecidedDesc   = prometheus.NewDesc("roost_on_demand_undecided_total", "Those of them that were not answered.", nil, nil)
	deniedDesc      = prometheus.NewDesc("roost_on_demand_denied_total", "Handshakes refused because their name may have no certificate.", nil, nil)
	limitedDesc     = prometheus.NewDesc("roost_on_demand_limited_total", "Handshakes refused because too many came for names without a certificate.", nil, nil)
	demandedDesc    = prometheus.NewDesc("roost_on_demand_names", "Names on demand that are in memory.", nil, nil)
	connectionsDesc = prometheus.NewDesc("roost_connections", "Open connections.", []string{"listener"}, nil)
	listeningDesc   = prometheus.NewDesc("roost_listening", "1 when the listener is bound, 0 when it cannot be.", []string{"listener"}, nil)
	refusedDesc     = prometheus.NewDesc("roost_requests_refused_total", "Requests refused because they were malformed.", nil, nil)
	acceptedDesc    = prometheus.NewDesc("roost_connections_accepted_total", "Connections accepted.", nil, nil)
	failuresDesc    = prometheus.NewDesc("roost_accept_failures_total", "Failed tries to accept a connection, mostly for want of open files.", nil, nil)
	turnedDesc      = prometheus.NewDesc("roost_connections_turned_away_total", "Connections turned away because there was no room.", nil, nil)
	lostDesc        = prometheus.NewDesc("roost_access_log_lost_lines_total", "Lines that the access log has lost.", nil, nil)
)

// Describe says nothing: which metrics there are depends on the Config.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect reports all figures.
func (c collector) Collect(out chan<- prometheus.Metric) {
	v, s := c.look(), c.Status()
	number := func(d *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, kind, value, labels...)
	}
	for name, f := range v.sites {
		f.collect(siteSeries, name, out)
	}
	c.front.unknown.collect(siteSeries, "", out)
	for _, a := range s.Apps {
		v.programs[a.Name].figures.collect(appSeries, a.Name, out)
		number(waitingDesc, prometheus.GaugeValue, float64(a.Waiting), a.Name)
		var restarts, memory uint64
		var cpu float64
		states := map[apps.State]int{
			apps.StateStarting: 0, apps.StateReady: 0, apps.StateDraining: 0,
			apps.StateStopped: 0, apps.StateBackoff: 0, apps.StateErrored: 0,
		}
		for _, i := range a.Instances {
			states[i.State]++
			restarts += uint64(i.Restarts)
			cpu += i.CPU
			memory += i.Memory
		}
		for state, n := range states {
			number(instancesDesc, prometheus.GaugeValue, float64(n), a.Name, string(state))
		}
		number(restartsDesc, prometheus.GaugeValue, float64(restarts), a.Name)
		number(cpuDesc, prometheus.GaugeValue, cpu, a.Name)
		number(memoryDesc, prometheus.GaugeValue, float64(memory), a.Name)
	}
	for _, cert := range s.Certificates {
		if cert.OnDemand {
			continue // strangers would have as many series made as there are names
		}
		if !cert.Expires.IsZero() {
			number(expiryDesc, prometheus.GaugeValue, float64(cert.Expires.Unix()), cert.Name, cert.Issuer)
		}
		if !cert.Tried.IsZero() {
			number(fellDesc, prometheus.GaugeValue, float64(cert.Tried.Unix()), cert.Name, cert.Issuer)
		}
		failing := 0.0
		if cert.State == tls.Failing {
			failing = 1
		}
		number(failingDesc, prometheus.GaugeValue, failing, cert.Name, cert.Issuer)
		number(ordersDesc, prometheus.CounterValue, float64(cert.Orders), cert.Name, cert.Issuer)
		number(fallsDesc, prometheus.CounterValue, float64(cert.Failures), cert.Name, cert.Issuer)
	}
	if d := c.certs.OnDemand(); d != nil {
		number(askedDesc, prometheus.CounterValue, float64(d.Asked))
		number(undecidedDesc, prometheus.CounterValue, float64(d.Undecided))
		number(deniedDesc, prometheus.CounterValue, float64(d.Denied))
		number(limitedDesc, prometheus.CounterValue, float64(d.Limited))
		number(demandedDesc, prometheus.GaugeValue, float64(d.Names))
	}
	for _, l := range s.Listeners {
		bound := 0.0
		if l.Bound {
			bound = 1
		}
		number(listeningDesc, prometheus.GaugeValue, bound, l.Kind)
		number(connectionsDesc, prometheus.GaugeValue, float64(s.Connections[l.Kind]), l.Kind)
	}
	number(refusedDesc, prometheus.CounterValue, float64(s.Refused))
	number(acceptedDesc, prometheus.CounterValue, float64(s.Accepted))
	number(failuresDesc, prometheus.CounterValue, float64(s.AcceptFailures))
	number(turnedDesc, prometheus.CounterValue, float64(s.TurnedAway))
	number(lostDesc, prometheus.CounterValue, float64(s.AccessLogLost))
}

func (f *figures) collect(s series, name string, out chan<- prometheus.Metric) {
	for i := range f.classes {
		class := strconv.Itoa(i+1) + "xx"
		out <- prometheus.MustNewConstMetric(s.requests, prometheus.CounterValue, float64(f.classes[i].Load()), name, class)
	}
	out <- prometheus.MustNewConstMetric(s.bytes, prometheus.CounterValue, float64(f.bytes.Load()), name)
	out <- prometheus.MustNewConstMetric(s.inFlight, prometheus.GaugeValue, float64(f.inFlight.Load()), name)
	// Every fourth bound is enough for Prometheus: each is 2.4 times the one before.
	cumulative := map[float64]uint64{}
	var total uint64
	for i := range f.latency.counts {
		total += f.latency.counts[i].Load()
		if i%4 == 3 && i < len(bounds) {
			cumulative[bounds[i].Seconds()] = total
		}
	}
	sum := float64(f.latency.sum.Load()) / 1e9
	out <- prometheus.MustNewConstHistogram(s.duration, total, sum, cumulative, name)
}
