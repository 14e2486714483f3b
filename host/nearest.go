package host

import (
	"fmt"
	"reflect"

	"roost/apps"
	"roost/internal/nearest"
	"roost/tls"
)

// didYouMean is a hint naming the candidate that was probably meant, or empty.
func didYouMean(written string, candidates []string) string {
	best := nearest.Of(written, candidates)
	if best == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %q?", best)
}

// homeOf is the section of roost.toml that has a key, the first of them; "" if none has.
func homeOf(key string) string {
	for _, section := range []struct {
		name  string
		table any
	}{{"[host]", Listen{}}, {"[tls]", tls.Config{}}, {"[[site]]", Site{}}, {"[[site.route]]", Route{}}, {"[[app]]", apps.Wanted{}}} {
		fields := map[string]reflect.Value{}
		fieldsOf(reflect.ValueOf(section.table), fields)
		if _, has := fields[key]; has {
			return section.name
		}
	}
	return ""
}
