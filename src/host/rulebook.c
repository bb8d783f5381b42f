/* rulebook.c - whose rules: found at each look-up, compiled once, kept by content
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/digest.h"
#include "host/rulebook.h"
#include "host/rulelimits.h"
#include "host/rules.h"
#include "host/rulescript.h"
#include "host/sequence.h"
#include "host/text.h"
#include "host/users.h"

struct rulebook {
	struct conf *conf;
	struct rulescript_host host;
	pthread_mutex_t lock;           /* of zones */
	struct zones zones;
};

/* A ruleset and all that it points to, in one piece. */
struct ruleset_private {
	struct ruleset set;
	atomic_uint count;
	bool in_arena;
	struct tamis_program *program[];        /* then texts */
};

struct rulebook *
rulebook_new(struct conf *c, struct rulebook *old)
{
	struct rulebook *r = mem_alloc(sizeof(*r));

	*r = (struct rulebook){ .conf = conf_ref(c) };
	r->host.conf = r->conf;
	r->host.shelf = old && old->conf->max_programs == c->max_programs ? lru_ref(old->host.shelf) : rulescript_shelf(c->max_programs);
	r->host.versions = rulescript_versions(c->max_programs);
	r->host.known = old ? lru_ref(old->host.known) : rulescript_versions(c->max_programs);
	r->host.goods = old ? lru_ref(old->host.goods) : rulescript_goods(c->max_programs);
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

struct rulebook *
rulebook_free(struct rulebook *r)
{
	if (!r)
		return NULL;
	lru_unref(r->host.goods);
	lru_unref(r->host.known);
	lru_unref(r->host.versions);
	lru_unref(r->host.shelf);
	zones_done(&r->zones);
	pthread_mutex_destroy(&r->lock);
	conf_unref(r->conf);
	free(r);
	return NULL;
}

void
rulebook_on_report(struct rulebook *r, void (*report)(void *ctx, struct str user, const struct tamis_diagnostic *,
                   const char *path), void *ctx)
{
	r->host.report = report;
	r->host.report_ctx = ctx;
}

/* --- rulesets */

struct ruleset *
ruleset_ref(struct ruleset *s)
{
	atomic_fetch_add(&s->private->count, 1);
	return s;
}

struct ruleset *
ruleset_unref(struct ruleset *s)
{
	struct ruleset_private *p;
	size_t i;

	if (!s || atomic_fetch_sub(&s->private->count, 1) > 1)
		return NULL;
	p = s->private;
	for (i = 0; i < s->n; i++)
		tamis_program_unref(s->program[i]);
	if (!p->in_arena)
		free(p);
	return NULL;
}

struct str
ruleset_file(const struct ruleset *s, struct tamis_text file)
{
	return str_is(text_str(file), RULESCRIPT_NAME) ? s->path : text_str(file);
}

bool
ruleset_is_users(const struct ruleset *s, unsigned run)
{
	return s->of_user >= 0 && run == (unsigned)s->of_user + 1;
}

static struct ruleset *
ruleset_new(struct arena *a, struct rulescript *const *script, size_t n, struct str user, struct str path)
{
	size_t size = sizeof(struct ruleset_private) + n * sizeof(struct tamis_program *) + user.len + 1 + path.len + 1;
	struct ruleset_private *p = a ? arena_alloc(a, size) : mem_alloc(size);
	char *text = (char *)(p->program + n);
	struct ruleset *s = &p->set;
	size_t i;

	atomic_init(&p->count, 1);
	p->in_arena = a != NULL;
	*s = (struct ruleset){ .user = { text, user.len }, .path = { text + user.len + 1, path.len }, .program = p->program,
		.n = n, .of_user = -1, .private = p };
	*(char *)mempcpy(text, user.s, user.len) = '\0';
	*(char *)mempcpy(text + user.len + 1, path.s, path.len) = '\0';
	for (i = 0; i < n; i++) {
		p->program[i] = tamis_program_ref(rulescript_program(script[i]));
		s->effects |= tamis_program_effects(p->program[i]);
	}
	return s;
}

/* One script is told by its own digest. */
static void
ruleset_digest(struct ruleset *s, struct rulescript *const *script)
{
	struct digest d;
	size_t i;

	if (s->n == 1) {
		memcpy(s->content, rulescript_content(script[0]), DIGEST_SIZE);
		return;
	}
	digest_init(&d);
	for (i = 0; i < s->n; i++)
		digest_add_part(&d, digest_str(rulescript_content(script[i])));
	digest_end(&d, s->content);
}

/* --- finding */

struct finding {
	struct rulebook *book;
	struct arena *arena;
	struct arena *home;             /* of the ruleset; NULL: malloc's */
	const struct canonical *address;
	struct str user;
	struct rulescript *own;         /* NULL: no rules of his own */
	struct str own_path;            /* where they are or would be */
	struct rulescript **script;     /* all that run, in their order */
	size_t n;
	struct ruleset *set;
};

static const char *
finding_leaf(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* 0 or -1.  Site scripts that are broken and were never better are passed over. */
static int
finding_site(struct finding *f, const struct conf_list *scripts)
{
	struct rulescript *script;
	size_t i;

	for (i = 0; i < scripts->n; i++) {
		const char *path = scripts->v[i], *leaf = finding_leaf(path);
		const struct rulescript_file file = {
			.root = leaf == path + 1 ? "/" : arena_str(f->arena, (struct str){ path, (size_t)(leaf - path) - 1 }).s,
			.name = leaf,
			.site = true,
		};
		int rc = rulescript_find(&f->book->host, &file, STR_EMPTY, &script);

		if (rc < 0)
			return -1;
		if (rulescript_program(script))
			f->script[f->n++] = script;
		else
			rulescript_unref(script);
	}
	return 0;
}

/* Where his own are or would be.  The name below rules_dir; NULL: he can have none. */
static const char *
finding_name(struct finding *f)
{
	const struct conf *c = f->book->conf;
	struct str local, domain, name;

	str_split_last(f->user, '@', &local, &domain);
	if (!c->rules_dir[0] || !rulefile_expand(f->arena, c->rules_file, local, domain, &name))
		return NULL;
	f->own_path = arena_join(f->arena, (struct str[]){ str_from(c->rules_dir), STR("/"), name }, 3);
	return name.s;
}

/* 0 or -1 */
static int
finding_own(struct finding *f)
{
	struct rulescript_file file = { .root = f->book->conf->rules_dir, .name = finding_name(f) };
	int rc;

	if (!file.name)
		return 0;
	rc = rulescript_find(&f->book->host, &file, f->user, &f->own);
	if (!rc)
		f->own = rulescript_unref(f->own);
	return rc < 0 ? -1 : 0;
}

/* Does the configuration say that a recipient is ours? */
static bool
finding_is_ours(const struct finding *f, bool listed)
{
	const struct conf *c = f->book->conf;
	struct str local, domain;

	str_split_last(f->user, '@', &local, &domain);
	return listed || conf_local_domain(c, domain) || conf_local_domain(c, f->address->domain);
}

/* Where it does not say whose domains are: do others of his have rules?  1, 0, -1. */
static int
finding_has_neighbours(struct finding *f)
{
	const struct conf *c = f->book->conf;
	struct str local, domain;

	str_split_last(f->user, '@', &local, &domain);
	if (!c->rules_dir[0] || strncmp(c->rules_file, "%d/", 3) != 0)
		return 0;
	switch (rulefile_directory(c->rules_dir, arena_str(f->arena, domain).s)) {
	case RULEFILE_FINE:
		return 1;
	case RULEFILE_TROUBLE:
		return -1;
	default:
		return 0;
	}
}

static bool
finding_protects(const struct finding *f, struct str local)
{
	static const char *const names[] = { "postmaster", "abuse" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (str_iis(f->address->local, names[i]) || str_iis(local, names[i]))
			return true;
	return false;
}

static void
finding_describe(struct finding *f, bool has_own)
{
	const struct conf *c = f->book->conf;
	struct ruleset *s;
	struct str local, domain;

	str_split_last(f->user, '@', &local, &domain);
	/* of who has none of his own, that of the last script is the one that comes to its end */
	s = f->set = ruleset_new(f->home, f->script, f->n, f->user,
	                         str_from(rulescript_path(has_own ? f->own : f->script[f->n - 1])));
	s->effect = conf_effect_for(c, f->user, domain, has_own ? f->own_path : STR_EMPTY);
	s->needs = sequence_needs(s->program, s->n);
	s->protected_ = finding_protects(f, local);
	s->limits = c->limits;
	ruleset_digest(s, f->script);
}

/* 1, 0: there is nothing that could run; or -1 */
static int
finding_compose(struct finding *f)
{
	const struct conf *c = f->book->conf;
	ptrdiff_t of_user = -1;

	f->script = ARENA_ARRAY(f->arena, c->site_before.n + 1 + c->site_after.n, struct rulescript *);
	if (finding_site(f, &c->site_before))
		return -1;
	if (f->own && rulescript_program(f->own)) {
		of_user = (ptrdiff_t)f->n;
		f->script[f->n++] = rulescript_ref(f->own);
	}
	if (finding_site(f, &c->site_after))
		return -1;
	if (!f->n)
		return 0;
	finding_describe(f, of_user >= 0);
	f->set->of_user = of_user;
	return 1;
}

/* Which one's rules, if it is several's?  Nobody's. */
static void
finding_user(struct finding *f, const struct users_found *found)
{
	f->user = found->n == 1 ? found->user[0] : canonical_user(f->arena, f->address);
}

static int
finding_run(struct finding *f, struct users_found *found)
{
	const struct conf *c = f->book->conf;
	bool ours;
	int rc;

	finding_user(f, found);
	ours = finding_is_ours(f, found->listed);
	if (!ours && c->local_domains.n)
		return 0;
	if (found->n == 1 && finding_own(f))
		return -1;
	if (!f->own && !(c->site_before.n + c->site_after.n))
		return 0;
	if (!ours && !f->own && (rc = finding_has_neighbours(f)) <= 0)
		return rc;
	return finding_compose(f);
}

static int
rulebook_look(struct finding *f, struct ruleset **ret, struct str *ret_broken)
{
	struct users_found found;
	int rc, error;

	users_find(conf_users(f->book->conf), f->arena, f->address, &found);
	rc = finding_run(f, &found);
	error = errno;
	if (rc > 0)
		*ret = f->set;
	if (ret_broken)
		*ret_broken = f->own && !rulescript_program(f->own) ? f->own_path : STR_EMPTY;
	while (f->n)
		rulescript_unref(f->script[--f->n]);
	rulescript_unref(f->own);
	errno = error;
	return rc;
}

int
rulebook_of(struct rulebook *r, struct arena *a, const struct canonical *address, struct ruleset **ret, struct str *ret_broken)
{
	struct finding f = { .book = r, .arena = a, .home = a, .address = address, .own_path = STR_EMPTY };

	return rulebook_look(&f, ret, ret_broken);
}

enum conf_effect
rulebook_effect(struct rulebook *r, struct arena *a, const struct canonical *address)
{
	struct finding f = { .book = r, .arena = a, .address = address, .own_path = STR_EMPTY };
	struct users_found found;
	struct str local, domain;

	users_find(conf_users(r->conf), a, address, &found);
	finding_user(&f, &found);
	str_split_last(f.user, '@', &local, &domain);
	if (found.n == 1)
		finding_name(&f);
	return conf_effect_for(r->conf, f.user, domain, f.own_path);
}

int
rulebook_find(struct rulebook *r, bool sendmail, struct str rcpt, struct ruleset **ret)
{
	struct arena a = { 0 };
	struct canonical c;
	struct finding f = { .book = r, .arena = &a, .address = &c, .own_path = STR_EMPTY };
	int rc = 0, error;

	if (!canonical_address(r->conf, sendmail, &a, rcpt, &c))
		rc = rulebook_look(&f, ret, NULL);
	error = errno;
	arena_done(&a);
	errno = error;
	return rc;
}

/* --- for runs, and for the daemon's start */

bool
rulebook_owns(struct rulebook *r, struct str login, struct str address)
{
	return users_owns(r->conf, conf_users(r->conf), login, address);
}

int
rulebook_load(void *ctx, struct tamis_text kind, struct tamis_text name, struct tamis_text *ret)
{
	struct rulebook *r = ctx;
	struct str data;
	int rc;

	if (!str_is(text_str(kind), "zone"))
		return 0;
	pthread_mutex_lock(&r->lock);
	rc = zones_load(&r->zones, text_str(name), &data);
	pthread_mutex_unlock(&r->lock);
	if (rc > 0)
		*ret = text_of(data);
	return rc;
}

size_t
rulebook_size(struct rulebook *r)
{
	return lru_count(r->host.shelf) + lru_count(r->host.versions);
}

static int
rulebook_check_script(struct rulebook *r, struct diag *diag, const char *path)
{
	struct tamis_diagnostic d = { .severity = TAMIS_ERROR, .place.file = text_from(path) };
	const char *leaf = finding_leaf(path);
	struct rulefile_stamp stamp;
	struct tamis_program *program = NULL;
	struct buf text = { 0 }, root = { 0 }, hint = { 0 };
	struct rules rules;
	struct diag copy;               /* texts are gone before the diag is */
	int rc = -1;

	buf_add(&root, (struct str){ path, (size_t)(leaf - path) });
	errno = ENOENT;
	switch (rulefile_read(buf_str(&root).s, leaf, r->conf->limits.script_size, &text, &stamp, &d.text)) {
	case RULEFILE_FINE:
		diag_init(&copy, diag->out);
		copy.form = diag->form;
		copy.color = diag->color;
		copy.no_warnings = diag->no_warnings;
		rules_init(&rules, &copy);
		rulelimits_set(r->conf, true, &rules);
		rc = rules_file(&rules, path, 0, &program) ? -1 : 0;
		diag->errors += copy.errors;
		diag->warnings += copy.warnings;
		diag_done(&copy);
		rules_done(&rules);
		break;
	case RULEFILE_REFUSED:
		if (*r->conf->user && access(path, R_OK) < 0) {
			buf_printf(&hint, "the daemon reads it as user %s", r->conf->user);
			buf_putc(&hint, '\0');
			d.hint = hint.s;
		}
		diag_report(diag, &d);
		break;
	default:
		d.text = strerror(errno);
		diag_report(diag, &d);
	}
	tamis_program_unref(program);
	buf_done(&text);
	buf_done(&root);
	buf_done(&hint);
	return rc;
}

/* It may come later, as a file system that is mounted does; mail waits for it. */
static void
rulebook_check_directory(const char *path, const char *hint, struct diag *diag)
{
	struct tamis_diagnostic d = { .severity = TAMIS_WARNING, .place.file = text_from(path), .hint = hint };
	const int error = *path ? rulefile_enter(path) : 0;

	if (!error)
		return;
	d.text = strerror(error);
	diag_report(diag, &d);
}

int
rulebook_check(struct rulebook *r, struct diag *diag)
{
	const struct conf_list *lists[] = { &r->conf->site_before, &r->conf->site_after };
	size_t i, k;
	int rc = 0;

	rulebook_check_directory(r->conf->rules_dir, "it is rules_dir: as long as it cannot be entered, mail is told to come again",
	                         diag);
	rulebook_check_directory(r->conf->global_dir, "it is global_dir: as long as it cannot be entered, mail of whoever includes "
	                         "scripts of it is told to come again", diag);
	for (k = 0; k < 2; k++)
		for (i = 0; i < lists[k]->n; i++)
			if (rulebook_check_script(r, diag, lists[k]->v[i]))
				rc = -1;
	return rc;
}
