/* test_merge.c - one message, one answer, several plans
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A case is written as "a keep, b redirect x": recipients a, b, ... and what
 * their plans are.  What comes out is written alike: how each delivery comes
 * about, who is taken from the envelope ("-a"), the content, or "refuse". */
#include <check.h>
#include <stdlib.h>

#include "milter/merge.h"

struct merge_case {
	const char *name, *plans, *options, *expect;
};

/* Words of a plan:
 *   keep  edit=C (kept with content C)  to=X (redirect)  to=X=C (with content C)  from=X (redirect, own sender)
 *   far=X (redirect, which servers take with SMTPUTF8 only)
 *   dir=X (filed, by an address)  copies (":copy", of the last)  sites (likewise: by a script of the site)
 *   refuse  discard  none (no rules)  early (refused at RCPT TO)  hold (put in quarantine)
 *   wishes (what the client wants to hear of it no added recipient can have)  quiet (nothing, if it fails)
 *   elsewhere (what he keeps comes to another server)
 *   home=X (the address of his keeps)  done before a word: the journal has it; group=G: one with others to Sendmail
 * Options: ours (nothing is refused), nocopy, report, exact (words that SMTP cannot carry), nohold (the server holds
 * no messages), sendmail (a group is one mailbox), own (who is the sender of a redirect hears of it),
 * utf8 (the client asked for no SMTPUTF8, and copies may have it), store (copies are for users here only), aside (there is an address for copies in quarantine). */
static const struct merge_case cases[] = {
	/* --- the rows of the table */
	{ "nobody keeps, somebody refuses", "a refuse, b discard", "", "refuse" },
	{ "all refuse", "a refuse, b refuse", "", "refuse" },
	{ "one refuses, another has a redirect", "a refuse, b to=x", "", "a self-copy! b x-queue -a -b" },
	{ "one refuses, another keeps; reported", "a refuse, b keep", "report", "a report-copy b self-queue -a" },
	{ "one refuses, another has no rules", "a refuse, b none", "report", "a report-copy b self-queue -a" },
	{ "a client of ours is not refused", "a refuse", "ours report", "a report-copy -a" },
	{ "a client of ours is not refused; kept with a mark", "a refuse", "ours", "a self-queue! content=!" },
	{ "words that SMTP cannot carry", "a refuse", "exact report", "a report-copy -a" },
	{ "all discard", "a discard, b discard", "", "-a -b" },
	{ "one discards", "a discard, b keep", "", "b self-queue -a" },
	{ "redirect", "a to=x", "", "a x-queue -a" },
	{ "redirect and keep", "a keep to=x", "", "a self-queue x-queue" },
	{ "filed by an address", "a dir=x", "", "a x-queue -a" },
	{ "equal edits are made in place", "a edit=1, b edit=1", "", "a self-queue b self-queue content=1" },
	{ "the smaller group gets copies", "a edit=1, b edit=2, c edit=2", "", "a self-copy b self-queue c self-queue -a content=2" },
	{ "as it came, if that is as many", "a edit=1, b keep", "", "a self-copy b self-queue -a" },
	{ "who has no rules is left alone", "a edit=1, b edit=1, c none", "", "a self-copy b self-copy c self-queue -a -b" },
	{ "an own sender", "a from=x, b keep", "", "a x-copy b self-queue -a" },
	{ "an own sender, alone", "a from=x", "", "a x-queue -a content=s" },
	{ "no port: edits are left out", "a edit=1, b keep", "nocopy", "a self-queue? b self-queue" },
	{ "no port: equal edits are made", "a edit=1, b edit=1", "nocopy", "a self-queue b self-queue content=1" },
	{ "a copy that left already", "a done edit=1, b keep", "", "a self-done b self-queue -a" },
	{ "a redirect that left already", "a done to=x, b discard", "", "a x-done -a -b" },
	{ "what left already does not come in place", "a done keep, b edit=1", "", "a self-done b self-queue -a content=1" },
	{ "what left already, and others keep", "a done keep, b keep", "", "a self-done b self-queue -a" },
	{ "all keep, one was refused at RCPT TO", "a keep, b early, c none", "", "a self-queue c self-queue" },
	/* --- quarantine: for all by the server, else by copies */
	{ "in quarantine, alone", "a hold", "", "hold a out-queue" },
	{ "in quarantine, by the plan of everybody", "a hold, b hold", "aside", "hold a out-queue b out-queue" },
	{ "in quarantine, others keep", "a hold, b keep", "aside", "a out-copy b self-queue -a" },
	{ "in quarantine, others have no rules", "a hold, b none", "aside", "a out-copy b self-queue -a" },
	{ "in quarantine, others keep, and there is no address", "a hold, b keep", "", "a self-copy! b self-queue -a" },
	{ "in quarantine, others keep, and there is neither address nor port", "a hold, b keep", "nocopy", "a self-queue!? b self-queue" },
	{ "in quarantine, but the server holds nothing", "a hold", "nohold aside", "a out-copy -a" },
	{ "in quarantine, but the server holds nothing, and there is no address", "a hold", "nohold", "a self-queue! content=!" },
	{ "in quarantine, others discard", "a hold, b discard", "aside", "hold a out-queue -b" },
	{ "in quarantine, others redirect", "a hold, b to=x", "aside", "a out-copy b x-queue -a -b" },
	{ "in quarantine, others were refused at RCPT TO", "a hold, b early", "aside", "hold a out-queue" },
	{ "in quarantine, others refuse; reported", "a hold, b refuse", "aside report", "hold a out-queue b report-copy -b" },
	{ "in quarantine, others refuse; kept with a mark", "a hold, b refuse", "aside", "a out-copy b self-queue! -a content=!" },
	{ "in quarantine, and kept", "a hold keep", "aside", "a out-copy self-queue" },
	{ "in quarantine, and kept, and there is no address", "a hold keep", "", "a self-queue" },
	{ "in quarantine, and redirected", "a hold to=x", "aside", "a out-copy x-queue -a" },
	{ "in quarantine, and redirected, and there is no address", "a hold to=x", "", "a self-copy! x-queue -a" },
	{ "in quarantine, and redirected to oneself", "a hold to=a", "aside", "hold a out-queue" },
	{ "in quarantine, others redirect to him", "a hold, b to=a", "aside", "hold a out-queue b a-covered -b" },
	{ "in quarantine, in a circle", "a hold to=b, b to=a", "aside", "hold a out-queue b-covered b a-covered -b" },
	{ "in quarantine, as a copy that left already", "a done hold, b hold", "aside", "hold a out-done b out-queue -a" },
	{ "in quarantine, while another's copy left already", "a hold, b done edit=1", "aside", "hold a out-queue b self-done -b" },
	{ "in quarantine, all left already", "a done hold, b discard", "aside", "a out-done -a -b" },
	{ "in quarantine, others are edited", "a hold, b edit=1", "aside", "a out-copy b self-queue -a content=1" },
	{ "in quarantine, one person named twice", "a hold, a hold, b keep", "aside", "a out-copy a out-covered b self-queue -a -a" },
	{ "in quarantine, one person named twice, once done", "a done hold, a hold", "aside", "a out-done a out-covered -a -a" },
	{ "in quarantine, one person named twice, done for the later", "a hold, a done hold", "aside", "a out-covered a out-done -a -a" },
	{ "in quarantine, Sendmail: equal addresses, one keeps", "a hold group=g, b keep group=g", "aside", "a out-copy b self-queue" },
	{ "in quarantine, Sendmail: equal addresses, one discards", "a hold group=g, b discard group=g", "aside", "hold a out-queue" },
	{ "in quarantine, which there is none, and both keep at one address", "a hold home=x, b hold home=x", "nohold",
	  "a x-queue! b x-covered! -a -b content=!" },
	{ "likewise, one of them as another's folder", "a hold home=x, b dir=x, c none", "nocopy", "a x-queue!? b x-covered c self-queue -a -b" },
	/* --- recipients interfere */
	{ "a redirect to another recipient", "a to=b, b keep", "", "a b-covered b self-queue -a" },
	{ "a redirect to one who discards", "a to=b, b discard", "", "a b-covered -a -b" },
	{ "a redirect to one who refuses", "a to=b, b refuse", "", "refuse" },
	{ "a redirect to one refused at RCPT TO", "a to=b, b early", "", "a self-queue" },
	{ "a redirect to oneself", "a to=a", "", "a self-queue" },
	{ "a redirect to oneself, and one elsewhere", "a to=a to=x", "", "a x-queue self-queue" },
	{ "a redirect to oneself by another name, and one elsewhere", "a discard, a to=a to=x", "", "a x-queue self-queue -a" },
	{ "in a circle", "a to=b, b to=a", "", "a self-queue b self-queue" },
	{ "in a larger circle", "a to=b, b to=c, c to=a", "", "a self-queue b self-queue c self-queue" },
	{ "a circle with a way out", "a to=b, b to=a to=x", "", "a b-covered b a-covered x-queue -a -b" },
	{ "a circle, and one who discards", "a to=b to=c, b to=a, c discard", "", "a self-queue b self-queue -c" },
	{ "a circle, and one who refuses", "a to=b to=c, b to=a, c refuse", "", "a self-queue b self-queue c self-copy! -c" },
	{ "to several who discard", "a to=b to=c, b discard, c to=b", "", "a b-covered c-covered c b-covered -a -b -c" },
	{ "into a circle", "a to=b, b to=c, c to=b, d keep", "", "a self-queue b self-queue c self-queue d self-queue" },
	{ "two redirect to one", "a to=x, b to=x", "", "a x-queue b x-covered -a -b" },
	{ "two redirect to one, who sent it wants to hear of one", "a quiet to=x, b to=x", "", "a x-covered b x-queue -a -b" },
	{ "two redirect to one, who sent it wants to hear of the first", "a to=x, b quiet to=x, c to=x", "",
	  "a x-queue b x-covered c x-covered -a -b -c" },
	{ "two redirect to one, who sent it wants to hear of neither", "a quiet to=x, b quiet to=x", "", "a x-queue b x-covered -a -b" },
	{ "two redirect to one, one has left", "a to=x, b quiet done to=x, c to=x", "", "a x-covered b x-done c x-covered -a -b -c" },
	/* --- what the client wants to know */
	{ "a wish goes along with a redirect in a copy", "a wishes to=x", "", "a x-copy -a" },
	{ "a wish goes along with what is filed", "a wishes dir=x keep, b edit=1", "", "a x-copy self-queue b self-copy -b" },
	{ "a wish is nothing to who keeps it", "a wishes edit=1, b edit=1", "", "a self-queue b self-queue content=1" },
	{ "a wish does not choose the content", "a wishes dir=x=1, b wishes dir=y=1, c edit=2", "",
	  "a x-copy b y-copy c self-queue -a -b content=2" },
	{ "a wish, and an own sender who hears of it", "a wishes from=x", "own", "a x-queue -a content=s" },
	{ "a wish, and an own sender by whom it comes back", "a wishes from=x", "", "a x-copy -a" },
	{ "a wish, and no port", "a wishes to=x", "nocopy", "a x-queue -a" },
	{ "a wish, and a port that is a store", "a wishes to=x dir=y", "store", "a x-queue y-copy -a" },
	{ "a wish, a port that is a store, and an address elsewhere", "a wishes elsewhere dir=x", "store", "a x-queue -a" },
	{ "a wish, and nobody's rules, of whom no copies are made", "a wishes none dir=x", "", "a self-queue x-queue" },
	{ "a wish of one, another is in quarantine", "a hold, b wishes to=x", "aside", "a out-copy b x-copy -a -b" },
	{ "a wish, and another name of somebody who keeps it", "a wishes keep, b wishes dir=a home=a", "", "a self-queue b a-covered -b" },
	{ "a wish, and another of those who send it there has none", "a wishes quiet to=x, b to=x", "", "a x-covered b x-queue -a -b" },
	/* --- what the client did not ask for */
	{ "SMTPUTF8 is asked for a copy", "a far=x keep", "utf8", "a x-copy self-queue" },
	{ "... which two have once", "a far=x, b far=x", "utf8", "a x-copy b x-covered -a -b" },
	{ "... which edits do not need", "a far=x=1", "utf8", "a x-copy -a" },
	{ "... whatever who redirects it wants to know", "a wishes from=x far=y", "utf8 own", "a x-queue y-copy -a content=s" },
	{ "... and is not", "a far=x", "", "a x-queue -a" },
	{ "... where there is no port", "a far=x", "utf8 nocopy", "a x-queue -a" },
	{ "... where it is a store", "a far=x", "utf8 store", "a x-queue -a" },
	{ "... of who is there anyway", "a far=b, b keep", "utf8", "a b-covered b self-queue -a" },
	{ "two redirect to one, with other contents", "a to=x=1, b to=x", "", "a x-copy b x-queue -a -b" },
	{ "two redirect to one, with other contents, and there is no port", "a to=x=1, b to=x", "nocopy", "a x-queue? b x-covered -a -b" },
	{ "a redirect does not add who is there", "a keep to=b, b edit=1", "", "a self-queue b-covered b self-copy -b" },
	{ "a folder's address that the client named", "a dir=b, b keep", "", "a b-covered b self-queue -a" },
	{ "a folder's address whose own rules discard", "a dir=b, b discard, c keep", "", "a b-covered c self-queue -a" },
	{ "one person named twice", "a edit=1, a edit=1, b none", "", "a self-copy a self-covered b self-queue -a -a" },
	{ "one person who refuses, named twice", "a refuse, a refuse, b none", "report", "a report-copy a report-covered b self-queue -a -a" },
	{ "two who refuse are two", "a refuse, b refuse, c none", "report", "a report-copy b report-copy c self-queue -a -b" },
	{ "one person named twice, once with a detail", "a edit=1, b dir=a=1, c none", "", "a self-copy b a-covered c self-queue -a -b" },
	{ "the detail before", "b dir=a=1, a edit=1, c none", "", "b a-copy a self-covered c self-queue -b -a" },
	{ "with a detail, what left already", "a done edit=1, b dir=a=1, c none", "", "a self-done b a-covered c self-queue -a -b" },
	{ "with a detail, another content", "a edit=1, b dir=a=2, c none", "", "a self-copy b a-copy c self-queue -a -b" },
	{ "a redirect that left does not stand for his own copy", "b done to=a=1, a edit=1, c none", "", "b a-done a self-copy c self-queue -b -a" },
	/* --- a keep in place of what cannot be done goes where his keeps go */
	{ "a redirect to oneself, whose keep has another address", "a to=a home=x", "", "a x-queue -a" },
	{ "in a circle, likewise", "a to=b home=x, b to=a", "", "a x-queue b self-queue -a" },
	{ "to one refused at RCPT TO, likewise", "a to=b home=x, b early", "", "a x-queue -a" },
	{ "he keeps it there anyway", "a to=a dir=x home=x", "", "a x-queue -a" },
	/* --- ... and comes back for want of another delivery of his own */
	{ "a redirect to oneself, and filed", "a to=a dir=x", "", "a x-queue -a" },
	{ "to one refused at RCPT TO, and filed", "a to=b dir=x, b early", "", "a x-queue -a" },
	{ "likewise, filed by an earlier attempt", "a to=b done dir=x, b early", "", "a x-done -a" },
	{ "likewise, a copy is filed", "a to=b dir=x copies, b early", "", "a x-queue self-queue" },
	{ "likewise, a script of the site has filed it", "a to=b dir=x sites, b early", "", "a x-queue self-queue" },
	{ "likewise, redirected elsewhere", "a to=b to=x, b early", "", "a x-queue self-queue" },
	{ "a redirect there is none", "a to=a to=x home=x", "", "a x-queue x-covered -a" },
	{ "a late refusal, likewise", "a refuse home=x, b keep", "", "a x-copy! b self-queue -a" },
	{ "Sendmail: equal addresses, all drop it", "a discard group=g, b discard group=g", "", "-a -b" },
	{ "Sendmail: equal addresses, one keeps", "a discard group=g, b keep group=g", "", "b self-queue" },
	{ "Sendmail: equal addresses, one copy", "a edit=1 group=g, b edit=1 group=g, c none", "sendmail",
	  "a self-copy b self-covered c self-queue -a -b" },
	{ "Sendmail: equal addresses, one copy, and one to that address", "a edit=1 group=g, b edit=1 group=g, c dir=b=1, d none",
	  "sendmail", "a self-copy b self-covered c b-covered d self-queue -a -b -c" },
	{ "Sendmail: equal addresses, one of them has left", "a edit=1 group=g, b done edit=1 group=g, c none", "sendmail",
	  "a self-covered b self-done c self-queue -a -b" },
	{ "Sendmail: equal addresses, other contents", "a edit=1 group=g, b edit=2 group=g, c none", "sendmail",
	  "a self-copy b self-copy c self-queue -a -b" },
	{ "Postfix: names that differ in case are two, for who tells them apart", "a edit=1 group=g, b edit=1 group=g, c none", "",
	  "a self-copy b self-copy c self-queue -a -b" },
	{ "Sendmail: equal addresses, one files what the other keeps", "a dir=x=1 group=g, b edit=1 group=g, c none", "sendmail",
	  "a x-copy b self-copy c self-queue -a -b" },
	{ "Sendmail: others are their own", "a discard group=g, b keep group=h", "", "b self-queue -a" },
};

struct made {
	struct arena arena;
	struct merge merge;
	struct merge_rcpt rcpt[8];
	struct plan plan[8];
	bool exact;
};

static struct delivery
delivery_of(struct made *k, enum delivery_kind kind, struct str target, struct str content)
{
	return (struct delivery){
		.kind = kind, .target = arena_str(&k->arena, target), .canonical = arena_str(&k->arena, target), .folder = STR_EMPTY,
		.edits = arena_str(&k->arena, content), .mark = STR_EMPTY, .sender = STR_EMPTY,
	};
}

static void
make_word(struct made *k, struct merge_rcpt *r, struct str word, bool done)
{
	struct plan *p = r->plan;
	struct str args[2] = { STR_EMPTY, STR_EMPTY };
	size_t n = 0;

	for (size_t i = 0; i < word.len; i++)
		if (word.s[i] == '=' && n < 2)
			args[n++] = str_sub(word, i + 1, word.len);
	word = n ? str_sub(word, 0, (size_t)(args[0].s - 1 - word.s)) : word;
	args[0] = n > 1 ? str_sub(args[0], 0, (size_t)(args[1].s - 1 - args[0].s)) : args[0];
	if (str_is(word, "keep") || str_is(word, "edit") || str_is(word, "none"))
		vec_push(&p->d, delivery_of(k, DELIVERY_SELF, STR_EMPTY, args[0]));
	else if (str_is(word, "to") || str_is(word, "from") || str_is(word, "far") || str_is(word, "dir"))
		vec_push(&p->d, delivery_of(k, DELIVERY_ADDRESS, args[0], args[1]));
	else if (str_is(word, "hold"))
		vec_push(&p->d, delivery_of(k, DELIVERY_QUARANTINE, STR_EMPTY, STR_EMPTY));
	p->unfiltered |= str_is(word, "none");
	p->refuses |= str_is(word, "refuse");
	r->refused |= str_is(word, "early");
	r->wishes |= str_is(word, "wishes");
	r->quiet |= str_is(word, "quiet");
	r->elsewhere |= str_is(word, "elsewhere");
	if (str_is(word, "group"))
		r->group = arena_str(&k->arena, args[0]);
	if (str_is(word, "home"))
		p->home = p->home_canonical = arena_str(&k->arena, args[0]);
	if (str_is(word, "to") || str_is(word, "from") || str_is(word, "far"))
		p->d.v[p->d.n - 1].redirect = true;
	if (str_is(word, "far"))
		p->d.v[p->d.n - 1].utf8 = true;
	if (str_is(word, "from"))
		p->d.v[p->d.n - 1].own_sender = true;
	if (str_is(word, "copies"))
		p->d.v[p->d.n - 1].copies = true;
	if (str_is(word, "sites"))
		p->d.v[p->d.n - 1].site = true;
	if (done)
		p->d.v[p->d.n - 1].done = true;
}

static bool
speakable(void *ctx, const struct plan *p)
{
	(void)p;
	return !((const struct made *)ctx)->exact;
}

static void
make(struct made *k, const struct merge_case *c)
{
	struct str *word, text = str_from(c->plans);
	size_t n = arena_words(&k->arena, &text, 1, &word);
	struct merge_rcpt *r = NULL;
	bool first = true, done = false;

	for (size_t i = 0; i < n; i++) {
		bool last = word[i].s[word[i].len - 1] == ',';
		struct str w = str_sub(word[i], 0, word[i].len - last);

		if (first) {
			r = &k->rcpt[k->merge.n++];
			*r = (struct merge_rcpt){ .canonical = w, .address = w, .group = STR_EMPTY, .plan = &k->plan[r - k->rcpt] };
			*r->plan = (struct plan){ .reason = STR_EMPTY, .late_mark = STR("!"), .kept_mark = STR("!") };
		} else if (str_is(w, "done")) {
			done = true;
		} else {
			make_word(k, r, w, done);
			done = false;
		}
		first = last;
	}
	k->exact = strstr(c->options, "exact");
	k->merge.rcpt = k->rcpt;
	k->merge.arena = &k->arena;
	k->merge.can_refuse = !strstr(c->options, "ours");
	k->merge.can_copy = !strstr(c->options, "nocopy");
	k->merge.can_report = strstr(c->options, "report");
	k->merge.can_hold = !strstr(c->options, "nohold");
	k->merge.can_set_aside = strstr(c->options, "aside");
	k->merge.utf8 = strstr(c->options, "utf8");
	k->merge.to_store = strstr(c->options, "store");
	k->merge.own_hears = strstr(c->options, "own");
	k->merge.one_mailbox = strstr(c->options, "sendmail");
	k->merge.speakable = speakable;
	k->merge.ctx = k;
}

static void
tell_delivery(struct buf *b, const struct merge_rcpt *r, const struct delivery *d)
{
	static const char *const ways[] = {
		[WAY_QUEUE] = "queue", [WAY_COPY] = "copy", [WAY_COVERED] = "covered", [WAY_DONE] = "done",
	};

	static const char *const kinds[] = {
		[DELIVERY_SELF] = "self", [DELIVERY_REPORT] = "report", [DELIVERY_QUARANTINE] = "out",
	};

	buf_putc(b, ' ');
	if (d->kind == DELIVERY_ADDRESS)
		buf_add(b, d->target);
	else
		buf_puts(b, kinds[d->kind]);
	buf_printf(b, "-%s%s%s", ways[d->way], d->mark.len ? "!" : "", d->way == WAY_QUEUE && r->plain ? "?" : "");
}

static void
tell(struct buf *b, const struct merge *m)
{
	const struct delivery *content = m->content;

	if (m->refuse) {
		buf_puts(b, " refuse");
		return;
	}
	buf_puts(b, m->hold ? " hold" : "");
	for (const struct merge_rcpt *r = m->rcpt; r < m->rcpt + m->n; r++) {
		if (r->refused || !r->plan->d.n)
			continue;
		buf_putc(b, ' ');
		buf_add(b, r->canonical);
		for (size_t i = 0; i < r->plan->d.n; i++)
			tell_delivery(b, r, &r->plan->d.v[i]);
	}
	for (const struct merge_rcpt *r = m->rcpt; r < m->rcpt + m->n; r++)
		if (r->removed)
			buf_printf(b, " -%.*s", STR_ARG(r->canonical));
	if (content)
		buf_printf(b, " content=%.*s%.*s%s", STR_ARG(content->edits), STR_ARG(content->mark), content->own_sender ? "s" : "");
}

START_TEST(merge_cases)
{
	struct made k = { 0 };
	struct buf first = { 0 }, again = { 0 };
	const char *said;

	make(&k, &cases[_i]);
	merge_plans(&k.merge);
	tell(&first, &k.merge);
	said = first.len ? buf_str(&first).s + 1 : "";
	ck_assert_msg(!strcmp(said, cases[_i].expect), "%s:\n  is:        %s\n  should be: %s", cases[_i].name, said,
	              cases[_i].expect);
	/* who asks again, because a copy left, is told the same */
	merge_plans(&k.merge);
	tell(&again, &k.merge);
	ck_assert_str_eq(buf_str(&first).s, buf_str(&again).s);
	buf_done(&first);
	buf_done(&again);
	for (size_t i = 0; i < k.merge.n; i++)
		vec_done(&k.plan[i].d);
	arena_done(&k.arena);
}
END_TEST

/* Each of many redirects to the next one, in either direction, and the last to the first or to nobody. */
enum { MANY = 4000 };

START_TEST(merge_many)
{
	struct arena a = { 0 };
	struct merge_rcpt *rcpt = ARENA_ARRAY(&a, MANY, struct merge_rcpt);
	struct plan *plan = ARENA_ARRAY(&a, MANY, struct plan);
	struct merge m = { .rcpt = rcpt, .n = MANY, .arena = &a, .can_copy = true };
	const bool circle = _i & 1, back = _i & 2;

	for (size_t i = 0; i < MANY; i++) {
		rcpt[i] = (struct merge_rcpt){ .canonical = arena_printf(&a, "%zu", i), .address = STR_EMPTY, .group = STR_EMPTY,
		                                .plan = &plan[i] };
		plan[i] = (struct plan){ .reason = STR_EMPTY, .late_mark = STR_EMPTY };
	}
	for (size_t i = 0; i < MANY; i++) {
		size_t next = back ? i - 1 : i + 1;
		struct str to = next < MANY ? rcpt[next].canonical : circle ? rcpt[back ? MANY - 1 : 0].canonical : STR("x");

		vec_push(&plan[i].d, (struct delivery){ .kind = DELIVERY_ADDRESS, .redirect = true, .target = to, .canonical = to,
		         .folder = STR_EMPTY, .edits = STR_EMPTY, .mark = STR_EMPTY, .sender = STR_EMPTY });
	}
	merge_plans(&m);
	for (size_t i = 0; i < MANY; i++) {
		bool end = !circle && i == (back ? 0 : MANY - 1);

		ck_assert_int_eq(rcpt[i].removed, !circle);
		ck_assert_int_eq(plan[i].d.v[0].way, circle || end ? WAY_QUEUE : WAY_COVERED);
		vec_done(&plan[i].d);
	}
	arena_done(&a);
}
END_TEST

/* --- each of very many with each other would take minutes */

enum { LOTS = 100000 };

/* What recipient i of LOTS does. */
static struct delivery
one_of_lots(struct arena *a, int shape, size_t i, const struct merge_rcpt *rcpt)
{
	struct delivery d = { .kind = DELIVERY_ADDRESS, .redirect = true, .target = STR("x"), .canonical = STR("x"),
		.folder = STR_EMPTY, .edits = STR_EMPTY, .mark = STR_EMPTY, .sender = STR_EMPTY };

	switch (shape) {
	case 1:                                         /* to one address, each with another content */
		d.edits = arena_printf(a, "%zu", i);
		break;
	case 2:                                         /* each to somebody else, all in a row, in no order */
		d.target = d.canonical = rcpt[(i * 7919 + 1) % LOTS].canonical;
		break;
	case 3:                                         /* filed at an address that the client named */
		d.redirect = false;
		d.target = d.canonical = rcpt[(i + 1) % LOTS].canonical;
		break;
	case 4:                                         /* kept, each with another content; to Sendmail two are one */
		d.kind = DELIVERY_SELF;
		d.target = d.canonical = STR_EMPTY;
		d.redirect = false;
		d.edits = arena_printf(a, "%zu", i);
		break;
	default:                                        /* all the same */
		break;
	}
	return d;
}

START_TEST(merge_lots)
{
	struct arena a = { 0 };
	struct merge_rcpt *rcpt = ARENA_ARRAY(&a, LOTS, struct merge_rcpt);
	struct plan *plan = ARENA_ARRAY(&a, LOTS, struct plan);
	struct merge m = { .rcpt = rcpt, .n = LOTS, .arena = &a, .can_copy = true };
	size_t ways[4] = { 0 };
	static const size_t expected[][4] = {
		{ [WAY_QUEUE] = 1, [WAY_COVERED] = LOTS - 1 }, { [WAY_QUEUE] = 1, [WAY_COPY] = LOTS - 1 }, { [WAY_QUEUE] = LOTS },
		{ [WAY_COVERED] = LOTS }, { [WAY_QUEUE] = 1, [WAY_COPY] = LOTS - 1 },
	};

	for (size_t i = 0; i < LOTS; i++) {
		struct str name = arena_printf(&a, "%zu@example.org", i);
		struct str group = _i == 4 ? arena_printf(&a, "%zu", i / 2) : STR_EMPTY;

		rcpt[i] = (struct merge_rcpt){ .canonical = name, .address = name, .group = group, .plan = &plan[i] };
		plan[i] = (struct plan){ .reason = STR_EMPTY, .late_mark = STR_EMPTY, .home = STR_EMPTY };
	}
	for (size_t i = 0; i < LOTS; i++)
		vec_push(&plan[i].d, one_of_lots(&a, _i, i, rcpt));
	merge_plans(&m);
	for (size_t i = 0; i < LOTS; i++) {
		ways[plan[i].d.v[0].way]++;
		vec_done(&plan[i].d);
	}
	for (int way = 0; way < 4; way++)
		ck_assert_uint_eq(ways[way], expected[_i][way]);
	arena_done(&a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("merge");
	TCase *t = tcase_create("merge");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, merge_cases, 0, (int)(sizeof(cases) / sizeof(*cases)));
	tcase_add_loop_test(t, merge_many, 0, 4);
	tcase_add_loop_test(t, merge_lots, 0, 5);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
