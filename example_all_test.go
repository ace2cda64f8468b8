package motor_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"testing"
)

// Whoever looks an operation up finds an Example that has run. What only belongs
// to a value that operations return is shown where that is.
func TestOperationsHaveExamples(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	p, err := doc.NewFromFiles(fset, files, "github.com/motor-go/motor")
	if err != nil {
		t.Fatal(err)
	}
	operations, shown := p.Funcs, map[string]bool{}
	var others []*doc.Func
	for _, typ := range p.Types {
		operations = append(operations, typ.Funcs...)
		if slices.Contains([]string{"Client", "Database", "Collection"}, typ.Name) {
			operations = append(operations, typ.Methods...)
		} else {
			others = append(others, typ.Methods...)
		}
	}
	for _, e := range doc.Examples(files...) {
		if e.Output == "" && !e.EmptyOutput {
			t.Errorf("Example%s does not run: it has no output", e.Name)
		}
		ast.Inspect(e.Code, func(n ast.Node) bool {
			if selector, ok := n.(*ast.SelectorExpr); ok {
				shown[selector.Sel.Name] = true
			}
			return true
		})
	}
	for _, f := range operations {
		if takesContext(f.Decl) && len(f.Examples) == 0 {
			t.Errorf("%s%s has no Example", f.Recv, f.Name)
		}
	}
	for _, f := range append(operations, others...) {
		// Errors are printed and unwrapped without being called.
		if !shown[f.Name] && !slices.Contains([]string{"Error", "Unwrap", "HasLabel"}, f.Name) {
			t.Errorf("%s%s is in no Example", f.Recv, f.Name)
		}
	}
	if len(operations) < 80 {
		t.Errorf("only %d operations were found", len(operations))
	}
}

func takesContext(f *ast.FuncDecl) bool {
	return slices.ContainsFunc(f.Type.Params.List, func(p *ast.Field) bool {
		selector, ok := p.Type.(*ast.SelectorExpr)
		return ok && selector.Sel.Name == "Context"
	})
}
