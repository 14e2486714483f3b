// Package control is what crosses the control socket of a running Roost: the
// requests, the answers, the error codes, and the client that speaks them.
//
// The protocol is HTTP with JSON over a Unix socket. A question (GET) is
// answered by one JSON document. A change (POST, DELETE) is answered by JSON
// lines, flushed as they come:
//
//	{"progress":"web: 1/2 instances on revision 3"}     any number
//	{}                                                  alive, nothing new
//	{"result":{…}}  or  {"error":{"code":…,"message":…}} exactly one, last
//
// The paths, with the type that goes in and the one that comes out:
//
//	GET    /v1/ping                                  Pong
//	GET    /v1/status                                Status
//	GET    /v1/instances?target=…                    []apps.Instance
//	GET    /v1/instances/{id}/environ                map[string]string
//	GET    /v1/apps?values=                          []App
//	GET    /v1/apps/{name or id}?values=             App
//	GET    /v1/events?target=…                       apps.Event, line by line
//	GET    /v1/logs?target=…&lines=&follow=&stream=  LogEvent, line by line
//	GET    /v1/ca                                    tls.CA
//	GET    /metrics                                  Prometheus' text format
//	POST   /v1/apps              StartRequest        Acted
//	POST   /v1/act               ActRequest          Acted
//	POST   /v1/scale             ScaleRequest        Acted
//	POST   /v1/input             InputRequest        []Reply
//	POST   /v1/message           MessageRequest      []Reply
//	POST   /v1/trigger           TriggerRequest      []Reply
//	POST   /v1/apply             ApplyRequest        Plan
//	POST   /v1/sites             SiteRequest         Plan
//	DELETE /v1/sites             SiteRequest         Plan
//	POST   /v1/maintenance       MaintenanceRequest  Plan
//	POST   /v1/shutdown
//
// A change that is refused before it begins, and a question that cannot be
// answered, have an HTTP status of 400 or more and one Event with the error.
//
// A change that was answered with a result has been saved: it survives a crash
// of the program or of the machine. One that was answered with an error left
// everything as it was.
package control
