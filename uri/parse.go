package uri

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	scheme    = "mongodb://"
	srvScheme = "mongodb+srv://"
)

// errUserinfo does not quote the string: the part it is about may be a
// password.
var errUserinfo = errors.New("connection string: the user name, the password and the options must be percent-encoded: write %40 for @, %3A for :, %2F for /, %3F for ? and %25 for %")

// Parse reads a connection string to which nothing is added: it is that of the
// zero Parser.
func Parse(s string) (*Config, []Warning, error) { return Parser{}.Parse(s) }

// Parser reads connection strings together with what a program says in code,
// which wins over the string.
type Parser struct {
	// Options are options by their names, with values as in a connection
	// string but not percent-encoded. They take the place of those of the same
	// name in the string. What would be a warning there is an error here.
	Options map[string]string
	// Credential has the fields that are set take the place of the userinfo,
	// authSource, authMechanism and authMechanismProperties. A Username takes
	// the place of the password in the string, too.
	Credential Credential
	// TLS asks for TLS, as a TLS configuration in code does: then tls=false is
	// an error.
	TLS bool
}

// Parse reads a connection string. It performs no I/O: the Config of a
// mongodb+srv string has its SRVHost but no Hosts yet.
//
// The warnings are for the log; options with a bad value or an unknown name
// have no effect. An error says what cannot be used and why; it is returned
// where the string is malformed, where options contradict each other, where a
// credential is not as its mechanism needs it, and for a bad value of an
// option that keeps data safe or secret (tls, w, authSource, authMechanism,
// srvServiceName).
func (p Parser) Parse(s string) (*Config, []Warning, error) {
	code, err := p.assignments()
	if err != nil {
		return nil, nil, err
	}
	if !utf8.ValidString(s) {
		return nil, nil, errors.New("connection string: not valid UTF-8")
	}
	rest, plain := strings.CutPrefix(s, scheme)
	if !plain {
		var srv bool
		if rest, srv = strings.CutPrefix(s, srvScheme); !srv {
			return nil, nil, fmt.Errorf("connection string: does not begin with %s or %s", scheme, srvScheme)
		}
	}
	c := defaults
	warnings, err := p.parse(&c, rest, plain, code)
	if err != nil {
		return nil, nil, err
	}
	return &c, warnings, nil
}

// parse reads what follows the scheme. If there is an @ behind the hosts, what
// looked like hosts, a database and options may be a user name and a password
// with a slash or a question mark: nothing of it is quoted.
func (p Parser) parse(c *Config, s string, plain bool, code []assignment) ([]Warning, error) {
	authority, path, query := split(s)
	warnings, err := p.parseParts(c, authority, path, query, plain, code)
	if !strings.Contains(path+query, "@") {
		return warnings, err
	}
	if err != nil {
		return nil, errUserinfo
	}
	for i := range warnings {
		warnings[i].Value = ""
	}
	return warnings, nil
}

func (p Parser) parseParts(c *Config, authority, path, query string, plain bool, code []assignment) ([]Warning, error) {
	if err := c.parseAuthority(authority, plain); err != nil {
		return nil, err
	}
	if err := c.parseDatabase(path); err != nil {
		return nil, err
	}
	given, warnings, err := c.parseOptions(query, code)
	if err != nil {
		return nil, err
	}
	if err := given.check(plain); err != nil {
		return nil, err
	}
	switch said := given["tls"] || given["ssl"]; {
	case !said:
		c.TLS = p.TLS || c.impliesTLS()
	case p.TLS && !c.TLS:
		return nil, errors.New("connection string: tls=false contradicts the TLS configuration that is given in code")
	}
	inString := c.Username
	c.use(p.Credential)
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.AuthMechanism == "MONGODB-AWS" && inString != "" {
		warnings = append(warnings, Warning{
			Option: "authMechanism",
			Value:  c.AuthMechanism,
			Reason: "credentials in a connection string are deprecated; use the environment or a provider",
		})
	}
	return warnings, nil
}

// split divides what follows the scheme at the first slash, which may be
// missing, and at the question mark after it.
func split(rest string) (authority, path, query string) {
	i := strings.IndexAny(rest, "/?")
	if i < 0 {
		return rest, "", ""
	}
	authority = rest[:i]
	if rest[i] == '/' {
		i++
	}
	path, query, _ = strings.Cut(rest[i:], "?")
	return authority, path, query
}

// parseAuthority reads the userinfo and the hosts, or the one SRV name.
func (c *Config) parseAuthority(s string, plain bool) error {
	if at := strings.LastIndexByte(s, '@'); at >= 0 {
		if err := c.parseUserinfo(s[:at]); err != nil {
			return err
		}
		s = s[at+1:]
	}
	if plain {
		return c.parseHosts(s)
	}
	return c.parseSRVHost(s)
}

func (c *Config) parseUserinfo(s string) error {
	user, password, _ := strings.Cut(s, ":")
	if strings.Contains(user, "@") || strings.ContainsAny(password, "@:") {
		return errUserinfo
	}
	var err error
	if c.Username, err = unescape(user); err != nil {
		return errUserinfo
	}
	if c.Password, err = unescape(password); err != nil {
		return errUserinfo
	}
	if c.Username == "" {
		return errors.New("connection string: no user name before the @")
	}
	return nil
}

// use takes over the fields of cred that are set.
func (c *Config) use(cred Credential) {
	if cred.Username != "" {
		c.Username, c.Password = cred.Username, ""
	}
	c.Password = cmp.Or(cred.Password, c.Password)
	c.AuthSource = cmp.Or(cred.Source, c.AuthSource)
	c.AuthMechanism = cmp.Or(cred.Mechanism, c.AuthMechanism)
	if cred.Properties == nil {
		return
	}
	c.AuthMechanismProperties = map[string]string{}
	for name, value := range cred.Properties {
		c.AuthMechanismProperties[strings.ToUpper(name)] = value
	}
}

func (c *Config) parseDatabase(s string) error {
	if strings.Contains(s, "@") {
		return errUserinfo
	}
	if err := checkNoOptions(s); err != nil {
		return fmt.Errorf("connection string: database %q: %w", s, err)
	}
	name, err := unescape(s)
	if err != nil {
		return fmt.Errorf("connection string: database %q: %w", s, err)
	}
	if i := strings.IndexAny(name, "/\\ \"$\x00"); i >= 0 {
		return fmt.Errorf("connection string: database %q contains %q, which no database name can", name, name[i])
	}
	c.Database = name
	return nil
}

// checkNoOptions refuses a host or a database that ends in options.
func checkNoOptions(s string) error {
	for part := range strings.SplitSeq(s, "&") {
		name, _, assigned := strings.Cut(part, "=")
		if o := optionNamed[lower(name)]; assigned && o != nil {
			return fmt.Errorf("option %s is not behind a question mark: the options begin with /?, as in mongodb://host/?%s=…", o.name, o.name)
		}
	}
	return nil
}

// unescape decodes percent-encoding. A plus sign stands for itself.
func unescape(s string) (string, error) {
	decoded, err := url.PathUnescape(s)
	if err != nil {
		return "", errors.New("a percent sign that is not followed by two hexadecimal digits")
	}
	if !utf8.ValidString(decoded) {
		return "", errors.New("not valid UTF-8 when decoded")
	}
	return decoded, nil
}

// given are the names of the options in a query, as the specification spells
// them.
type given map[string]bool

// check refuses options that must not, or not alone, stand in one string.
func (g given) check(plain bool) error {
	for _, pair := range exclusive {
		if g[pair[0]] && g[pair[1]] {
			return fmt.Errorf("connection string: options %s and %s exclude each other; give one", pair[0], pair[1])
		}
	}
	for _, pair := range needs {
		if g[pair[0]] && !g[pair[1]] {
			return fmt.Errorf("connection string: option %s needs option %s", pair[0], pair[1])
		}
	}
	for _, name := range []string{"srvMaxHosts", "srvServiceName"} {
		if plain && g[name] {
			return fmt.Errorf("connection string: option %s is for %s only", name, srvScheme)
		}
	}
	return nil
}

// assignment is one option=value of a query.
type assignment struct {
	*option
	value string
}

// assignments are the Options, none of which has anything to be warned of.
func (p Parser) assignments() ([]assignment, error) {
	var list []assignment
	var scratch Config
	for _, name := range slices.Sorted(maps.Keys(p.Options)) {
		value, o := p.Options[name], optionNamed[lower(name)]
		if o == nil {
			return nil, fmt.Errorf("given in code: option %q: there is none of this name", name)
		}
		reason := ""
		switch err := o.set(&scratch, value); {
		case slices.ContainsFunc(list, func(a assignment) bool { return a.subject() == o.subject() }):
			reason = "given more than once"
		case o.renamed != "":
			reason = "deprecated; write " + o.renamed
		case value == "" && !o.empty:
			reason = "empty"
		case err != nil:
			reason = err.Error()
		}
		if reason != "" {
			return nil, errors.New("given in code: " + o.warning(value, reason).text())
		}
		list = append(list, assignment{o, value})
	}
	return list, nil
}

// parseOptions applies the options of a query in their order, and then those
// of code, which take their places.
func (c *Config) parseOptions(query string, code []assignment) (given, []Warning, error) {
	all := given{}
	var assignments []assignment
	var warnings []Warning
	for query != "" {
		rest := query
		var part string
		part, query, _ = strings.Cut(query, "&")
		if part == "" {
			continue
		}
		name, value, err := parseAssignment(part)
		if err != nil {
			return nil, nil, err
		}
		o := optionNamed[lower(name)]
		if o == nil && strings.Contains(rest, "@") {
			return nil, nil, errUserinfo // not an option, but part of a password
		}
		if o == nil {
			warnings = append(warnings, Warning{Option: name, Reason: "unknown, and ignored"})
			continue
		}
		if all[o.name] && o.once {
			return nil, nil, fmt.Errorf("connection string: option %s is given more than once", o.name)
		}
		if all[o.name] && !o.list {
			warnings = append(warnings, *o.warning(value, "given more than once; the last value counts"))
		}
		all[o.name] = true
		assignments = append(assignments, assignment{o, value})
	}
	for _, a := range code {
		same := func(b assignment) bool { return b.subject() == a.subject() }
		assignments = append(slices.DeleteFunc(assignments, same), a)
	}
	clear(all)
	for _, a := range assignments {
		all[a.name] = true
	}
	if err := checkTLS(assignments); err != nil {
		return nil, nil, err
	}
	for _, a := range assignments {
		warning, err := a.apply(c, all)
		if err != nil {
			return nil, nil, err
		}
		if warning != nil {
			warnings = append(warnings, *warning)
		}
	}
	return all, warnings, nil
}

func parseAssignment(s string) (name, value string, err error) {
	name, value, ok := strings.Cut(s, "=")
	if strings.Contains(name, "@") {
		return "", "", errUserinfo
	}
	if !ok || name == "" {
		return "", "", fmt.Errorf("connection string: option %q is not of the form name=value", name)
	}
	if value, err = unescape(value); err != nil {
		return "", "", fmt.Errorf("connection string: the value of option %s has %w", name, err)
	}
	return name, value, nil
}

// checkTLS refuses values of tls and ssl that are not all the same.
func checkTLS(assignments []assignment) error {
	said := ""
	for _, a := range assignments {
		if a.name != "tls" && a.name != "ssl" {
			continue
		}
		v, _ := parseBool(a.value)
		if said == "" {
			said = strconv.FormatBool(v)
		} else if said != strconv.FormatBool(v) {
			return errors.New("connection string: options tls and ssl are given with different values; give tls once")
		}
	}
	return nil
}

// apply sets the option in c, or says why not.
func (a assignment) apply(c *Config, all given) (*Warning, error) {
	if a.renamed != "" && all[a.renamed] {
		return a.warning(a.value, "deprecated, and ignored because "+a.renamed+" is given"), nil
	}
	if a.value == "" && !a.empty {
		return a.warning("", "empty, and ignored"), nil
	}
	err := a.set(c, a.value)
	used, isNotice := errors.AsType[notice](err)
	switch {
	case err == nil && a.renamed == "":
		return nil, nil
	case err == nil:
		return a.warning(a.value, "deprecated; write "+a.renamed), nil
	case isNotice:
		return a.warning(a.value, string(used)), nil
	case a.strict:
		return nil, a.refusal(a.value, err.Error())
	default:
		return a.warning(a.value, err.Error()+"; it is ignored"), nil
	}
}

// warning is about a value of o, which it quotes unless that is a secret, or
// may be one: what follows an unescaped @ could be the rest of a password.
func (o *option) warning(value, reason string) *Warning {
	if o.secret || strings.Contains(value, "@") {
		value = ""
	}
	return &Warning{Option: o.name, Value: value, Reason: reason}
}

func (o *option) refusal(value, reason string) error {
	return errors.New(o.warning(value, reason).Error())
}

// lower turns A to Z into lower case, and nothing else.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}
