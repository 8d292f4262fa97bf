package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// maxSession is how long a session to a server is kept, so that after a change of servers
// no process stays with the former one for long.
const maxSession = 10 * time.Minute

// connectURL makes a database of a URL.
func connectURL(source string, purpose purpose) (*database, error) {
	u, err := url.Parse(source)
	if err != nil || u.Fragment != "" {
		// The parser's own error may quote the password.
		return nil, errors.New(`ledger: cannot open a postgres URL that is not well formed (has its password "%XX" for what has a meaning in URLs?)`)
	}
	name := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if u.User != nil {
		name.User = url.User(u.User.Username())
	}
	config, err := pgx.ParseConfig(source)
	if err != nil {
		return nil, fmt.Errorf("ledger: cannot open %s: %s", name.String(), whatIsWrong(u))
	}
	return connectPostgres(config, name.String(), strings.Contains(source, modeParameter), purpose), nil
}

// whatIsWrong says it of a URL that the driver refuses, in whose own error a password
// may stand.
func whatIsWrong(u *url.URL) string {
	alone := url.URL{Scheme: u.Scheme, Host: u.Host}
	if _, err := pgx.ParseConfig(alone.String()); err != nil {
		return "its host or port is not well formed"
	}
	query := u.Query()
	for _, name := range slices.Sorted(maps.Keys(query)) {
		alone.RawQuery = url.Values{name: query[name]}.Encode()
		if _, err := pgx.ParseConfig(alone.String()); err != nil {
			return fmt.Sprintf("its parameter %q has a value that the driver does not take", name)
		}
	}
	return "its parameters do not go together"
}

// keywords are those that say where a server is. The rest goes with one of them.
var keywords = []string{"host", "hostaddr", "port", "dbname", "database", "user", "service"}

// connectKeywords makes a database of the form "host=db user=site dbname=site".
func connectKeywords(source string, purpose purpose) (*database, error) {
	isKeyword := func(word string) bool { return slices.Contains(keywords, word) }
	words := strings.FieldsFunc(source, func(r rune) bool { return r == '=' || r == ' ' || r == '\t' || r == '\n' || r == '\r' })
	first, _, _ := strings.Cut(source, "=") // in other letters it would be a setting of the server to the driver
	if !slices.ContainsFunc(words, isKeyword) || strings.ToLower(first) != first {
		return nil, errors.New(`ledger: cannot open what begins as keywords of a connection ("host=db user=site dbname=site") and has none that is known, in small letters; put "sqlite:" in front of the path of a file`)
	}
	config, err := pgx.ParseConfig(source)
	if err != nil {
		// The parser's own error may quote the password.
		return nil, errors.New(`ledger: cannot open a connection by keywords that is not well formed (has a value with spaces quotes, as in password='a b'?)`)
	}
	name := url.URL{Scheme: "postgres", User: url.User(config.User), Host: net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port))), Path: "/" + config.Database}
	if strings.HasPrefix(config.Host, "/") { // a socket
		name.Host, name.RawQuery = "", url.Values{"host": {config.Host}}.Encode()
	}
	return connectPostgres(config, name.String(), strings.Contains(source, modeParameter), purpose), nil
}

// modeParameter is pgx's name for how statements are sent.
const modeParameter = "default_query_exec_mode"

func connectPostgres(config *pgx.ConnConfig, name string, modeIsChosen bool, purpose purpose) *database {
	d := &database{dialect: postgresDialect, name: name, address: addressOf(config)}
	if purpose == toRead {
		config.RuntimeParams[readOnlyParameter] = "on"
	}
	p := &pooler{modeIsChosen: modeIsChosen}
	p.Connector = stdlib.GetConnector(*config, stdlib.OptionBeforeConnect(p.before), stdlib.OptionAfterConnect(p.after))
	d.DB = sql.OpenDB(p)
	d.SetMaxOpenConns(8)
	d.SetMaxIdleConns(8)
	d.SetConnMaxLifetime(maxSession)
	return d
}

// addressOf returns what tells a database of a server from others: neither the password
// nor what else a site may change of a connection.
func addressOf(config *pgx.ConnConfig) string {
	f := fields(nil).text(config.Host).number(int64(config.Port))
	for _, other := range config.Fallbacks {
		f = f.text(other.Host).number(int64(other.Port))
	}
	// Without a search path, each role has a schema of its own.
	return string(f.text(config.Database).text(cmp.Or(config.RuntimeParams["search_path"], config.User)))
}

// readOnlyParameter has the server refuse a session every change.
const readOnlyParameter = "default_transaction_read_only"

// A pooler may stand in front of a server, as PgBouncer does, and give each transaction
// another session there. What one transaction has prepared, the next one does not have.
type pooler struct {
	driver.Connector
	modeIsChosen bool        // the site has said how statements are sent
	found        atomic.Bool // there is one
	refuses      atomic.Bool // it does not pass readOnlyParameter on
}

// Connect begins a session. A reader goes without the server's help if a pooler does not
// let it have that: the ledger itself changes nothing either.
func (p *pooler) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := p.Connector.Connect(ctx)
	if err != nil && strings.Contains(err.Error(), readOnlyParameter) && !p.refuses.Swap(true) {
		conn, err = p.Connector.Connect(ctx)
	}
	return conn, err
}

// before has statements sent so that a pooler can take them apart.
func (p *pooler) before(_ context.Context, config *pgx.ConnConfig) error {
	if p.found.Load() && !p.modeIsChosen {
		config.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	if p.refuses.Load() {
		config.RuntimeParams = maps.Clone(config.RuntimeParams)
		delete(config.RuntimeParams, readOnlyParameter)
	}
	return nil
}

// after looks whether a pooler has answered: then the process that serves the session is
// not the one that was named when it began.
func (p *pooler) after(ctx context.Context, conn *pgx.Conn) error {
	if p.modeIsChosen || p.found.Load() {
		return nil
	}
	var process uint32
	err := conn.QueryRow(ctx, `SELECT pg_backend_pid()`, pgx.QueryExecModeExec).Scan(&process)
	if err == nil && process == conn.PgConn().PID() || err != nil && !conn.IsClosed() {
		return nil // what is no PostgreSQL may not have the function
	}
	_ = conn.Close(ctx)
	if err == nil {
		p.found.Store(true)
		err = driver.ErrBadConn // and the pool begins another one
	}
	return err
}

// checkPrepared fails if pgx prepares statements in a pool of the site, and a pooler gives
// them to one session and not to the next. While one session has the transaction of somebody
// else, what was prepared in it is not in another one.
func checkPrepared(ctx context.Context, pool *sql.DB) error {
	const probe = "consent_ledger_probe"
	one, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer one.Close()
	pooled := false
	err = withPgx(one, func(conn *pgx.Conn) error {
		var process uint32
		if conn.Config().DefaultQueryExecMode != pgx.QueryExecModeCacheStatement {
			return nil
		}
		err := conn.QueryRow(ctx, `SELECT pg_backend_pid()`, pgx.QueryExecModeExec).Scan(&process)
		if pooled = err == nil && process != conn.PgConn().PID(); pooled {
			_, err = conn.Prepare(ctx, probe, `SELECT 1`)
		}
		return err
	})
	if err != nil || !pooled {
		return err
	}
	other, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer other.Rollback()
	return withPgx(one, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, probe)
		return errors.Join(err, conn.Deallocate(ctx, probe))
	})
}

// withPgx calls do with the connection of a session, if pgx has made it.
func withPgx(session *sql.Conn, do func(*pgx.Conn) error) error {
	return session.Raw(func(conn any) error {
		if made, ok := conn.(*stdlib.Conn); ok {
			return do(made.Conn())
		}
		return nil
	})
}

// warnOfStandbys says in the log that a failover may take back what was acknowledged.
func (d *database) warnOfStandbys(ctx context.Context) {
	if d.embedded {
		return
	}
	var standbys int
	var confirm, names string
	// A role without the right to more sees at least that there is somebody.
	err := d.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM pg_stat_replication), coalesce(current_setting('synchronous_commit', true), ''), coalesce(current_setting('synchronous_standby_names', true), '')`).Scan(&standbys, &confirm, &names)
	if err != nil || standbys == 0 {
		return // what is no PostgreSQL may not have the table
	}
	if names == "" || confirm == "local" || confirm == "off" {
		slog.Warn("ledger: a failover may lose consents that were acknowledged, since no standby confirms them: set synchronous_standby_names, and synchronous_commit = on",
			"standbys", standbys, "synchronous_standby_names", names, "synchronous_commit", confirm)
	}
}
