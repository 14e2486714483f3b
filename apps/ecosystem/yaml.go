package ecosystem

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// yamlReader makes plain values of the nodes of a YAML text. It does so itself
// so as to know lines and to bound what aliases come to when written out.
type yamlReader struct {
	anchors map[string]ast.Node
	found   map[string]int
	nodes   int
	depth   int
}

// What the parser is given is bounded: it takes time in the square of the
// length of some texts, and memory in the square of the nesting.
const (
	maxYAML    = 128 << 10 // bytes
	maxNesting = 256
)

// nested is the line where tables and lists lie too deep in one another, by a
// count of brackets and dashes that knows nothing of quotes; 0: nowhere.
func nested(text string) int {
	open, number := 0, 0
	for line := range strings.Lines(text) {
		number++
		dashes := len(line) - len(strings.TrimLeft(line, "-? "))
		for _, c := range line {
			switch c {
			case '[', '{':
				open++
			case ']', '}':
				open = max(open-1, 0)
			}
			if open > maxNesting || dashes > 4*maxNesting {
				return number
			}
		}
	}
	return 0
}

func readYAML(text []byte) (d Document, err error) {
	if len(text) > maxYAML {
		return d, &Error{What: fmt.Sprintf("the file has %d bytes, more than %d", len(text), maxYAML), Hint: "is it a config file?"}
	}
	if line := nested(string(text)); line > 0 {
		return d, &Error{Line: line, What: "too many tables and lists inside one another", Hint: "is it a config file?"}
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		e := &Error{What: err.Error(), Hint: "correct the YAML syntax"}
		if wrong := yaml.Error(nil); errors.As(err, &wrong) {
			e.What = wrong.GetMessage()
			if tk := wrong.GetToken(); tk != nil {
				e.Line, e.Column = tk.Position.Line, tk.Position.Column
			}
		}
		return d, e
	}
	var bodies []ast.Node
	for _, doc := range file.Docs {
		if doc.Body != nil && doc.Body.Type() != ast.CommentType && doc.Body.Type() != ast.CommentGroupType {
			bodies = append(bodies, doc.Body)
		}
	}
	switch len(bodies) {
	case 0:
		return d, &Error{Line: 1, What: "the file is empty", Hint: "write apps: and below it - name: web"}
	case 1:
	default:
		return d, wrongNode(bodies[1], "a second document in one file", "remove the line ---")
	}
	r := &yamlReader{anchors: map[string]ast.Node{}, found: map[string]int{}}
	if d.Value, err = r.value("", bodies[0]); err != nil {
		return Document{}, err
	}
	d.Lines = r.found
	return d, nil
}

func wrongNode(n ast.Node, what, hint string) error {
	e := &Error{What: what, Hint: hint}
	if tk := n.GetToken(); tk != nil {
		e.Line, e.Column = tk.Position.Line, tk.Position.Column
	}
	return e
}

func (r *yamlReader) note(path string, n ast.Node) {
	if tk := n.GetToken(); tk != nil && r.found[path] == 0 {
		r.found[path] = tk.Position.Line
	}
}

func (r *yamlReader) value(path string, n ast.Node) (any, error) {
	if n == nil {
		return nil, nil
	}
	r.nodes++
	r.depth++
	defer func() { r.depth-- }()
	if r.nodes > maxNodes || r.depth > maxDepth {
		return nil, wrongNode(n, fmt.Sprintf("more than %d values, or %d levels, with aliases written out", maxNodes, maxDepth), "write fewer aliases")
	}
	r.note(path, n)
	switch n := n.(type) {
	case *ast.AnchorNode:
		r.anchors[n.Name.String()] = n.Value
		return r.value(path, n.Value)
	case *ast.AliasNode:
		target, ok := r.anchors[n.Value.String()]
		if !ok {
			return nil, wrongNode(n, fmt.Sprintf("there is no anchor &%s above", n.Value), "")
		}
		return r.value(path, target)
	case *ast.MappingNode:
		return r.mapping(path, n.Values)
	case *ast.MappingValueNode:
		return r.mapping(path, []*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		list := []any{}
		for i, e := range n.Values {
			v, err := r.value(joinIndex(path, i), e)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case *ast.TagNode:
		return r.tagged(path, n)
	case *ast.LiteralNode: // a block of text
		return n.Value.Value, nil
	case ast.ScalarNode:
		return scalar(n)
	}
	return nil, wrongNode(n, fmt.Sprintf("cannot read a YAML %s here", strings.ToLower(n.Type().String())), "")
}

func (r *yamlReader) mapping(path string, values []*ast.MappingValueNode) (any, error) {
	table, merged := map[string]any{}, map[string]any{}
	for _, kv := range values {
		if kv.Key.IsMergeKey() {
			v, err := r.value(path, kv.Value)
			if err != nil {
				return nil, err
			}
			parents, ok := v.([]any)
			if !ok {
				parents = []any{v}
			}
			for _, p := range parents {
				parent, ok := p.(map[string]any)
				if !ok {
					return nil, wrongNode(kv.Value, "<< wants a table, or a list of tables", "")
				}
				for k, v := range parent {
					if _, before := merged[k]; !before { // the first wins
						merged[k] = v
					}
				}
			}
			continue
		}
		key, err := r.key(kv.Key)
		if err != nil {
			return nil, err
		}
		if _, twice := table[key]; twice {
			return nil, wrongNode(kv.Key, fmt.Sprintf("the key %q is there twice", key), "remove one of them")
		}
		inner := join(path, key)
		delete(r.found, inner) // of a table merged above
		r.note(inner, kv.Key)
		if table[key], err = r.value(inner, kv.Value); err != nil {
			return nil, err
		}
	}
	for k, v := range merged {
		if _, own := table[k]; !own {
			table[k] = v
		}
	}
	return table, nil
}

// key is the text of a key, as it is written where that is no text: 8080, true.
func (r *yamlReader) key(n ast.MapKeyNode) (string, error) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, nil
	case ast.ScalarNode:
		if tk := n.GetToken(); tk != nil {
			return tk.Value, nil
		}
	}
	return "", wrongNode(n, "a key that is no text", "write a plain word")
}

func (r *yamlReader) tagged(path string, n *ast.TagNode) (any, error) {
	v, err := r.value(path, n.Value)
	if err != nil {
		return nil, err
	}
	switch n.Start.Value {
	case "!!str":
		if literal, ok := n.Value.(ast.ScalarNode); ok {
			if _, text := v.(string); !text && literal.GetToken() != nil {
				return literal.GetToken().Value, nil
			}
		}
		return v, nil
	case "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq":
		return v, nil
	}
	return nil, wrongNode(n, fmt.Sprintf("the tag %s means nothing here", n.Start.Value), "remove it")
}

func scalar(n ast.ScalarNode) (any, error) {
	switch v := n.GetValue().(type) {
	case nil, string, bool, int64:
		return v, nil
	case uint64:
		if v <= math.MaxInt64 {
			return int64(v), nil
		}
		return float64(v), nil
	case float64:
		if !math.IsInf(v, 0) && !math.IsNaN(v) {
			return v, nil
		}
	}
	return nil, wrongNode(n, fmt.Sprintf("%s is no value that a key can have", n.String()), "put a text in quotes")
}
