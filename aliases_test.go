package motor_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// typeSpecs are the exported types that a package declares, with their comments.
func typeSpecs(t *testing.T, dir string) map[string]*ast.TypeSpec {
	t.Helper()
	specs := map[string]*ast.TypeSpec{}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			group, ok := decl.(*ast.GenDecl)
			if !ok || group.Tok != token.TYPE {
				continue
			}
			for _, s := range group.Specs {
				spec := s.(*ast.TypeSpec)
				if spec.Doc == nil {
					spec.Doc = group.Doc
				}
				if spec.Name.IsExported() {
					specs[spec.Name.Name] = spec
				}
			}
		}
	}
	return specs
}

// go doc shows no fields of a type that stands for one of another package, so
// its comment names them.
func TestAliasesNameTheirFields(t *testing.T) {
	n := 0
	for name, alias := range typeSpecs(t, ".") {
		of, ok := alias.Type.(*ast.SelectorExpr)
		if !ok || !alias.Assign.IsValid() {
			continue
		}
		dir := of.X.(*ast.Ident).Name
		if dir == "auth" {
			dir = "internal/auth"
		}
		real := typeSpecs(t, dir)[of.Sel.Name]
		if real == nil {
			t.Fatalf("%s stands for %s.%s, which is not in %s", name, of.X, of.Sel, dir)
		}
		structure, ok := real.Type.(*ast.StructType)
		if !ok {
			continue
		}
		n++
		for _, field := range structure.Fields.List {
			for _, f := range field.Names {
				if f.IsExported() && !strings.Contains(alias.Doc.Text(), f.Name) {
					t.Errorf("the comment of %s does not name its field %s", name, f.Name)
				}
			}
		}
	}
	if n == 0 {
		t.Error("there are none")
	}
}
