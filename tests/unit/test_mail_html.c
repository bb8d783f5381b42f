/* test_mail_html.c - HTML to text, as a browser would show it
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <stdlib.h>

#include "base/buf.h"
#include "mail/entity.h"
#include "mail/html.h"

static const struct {
	const char *html, *text;
} cases[] = {
	{ "", "" },
	{ "plain", "plain" },
	{ "  a \n\t b  ", "a b" },
	{ "a<b>b</b>c", "abc" },
	{ "V<b></b>i<!-- x -->a", "Via" },
	{ "a<br>b<br/>c<BR />d", "a\nb\nc\nd" },
	{ "<p>one</p><p>two</p>", "one\ntwo" },
	{ "<div>a<div>b</div>c</div>d", "a\nb\nc\nd" },
	{ "<table><tr><td>a<td>b</td></tr><tr><th>c</th></tr></table>", "a b\nc" },
	{ "<ul><li>a<li>b</ul>c", "a\nb\nc" },
	{ "a <i> b</i> c", "a b c" },
	{ "<pre>a\n  b</pre> c", "a\n  b\nc" },
	/* attributes */
	{ "<a href=\"x>y\">b</a>", "b" },
	{ "<a href='x>y'>b</a>", "b" },
	{ "<a href=x/y>b</a>", "b" },
	{ "<a href=x\"y>b", "b" },
	{ "<a href = \"x>\" title='>'>b", "b" },
	{ "<a x='y'z=\">\">b", "b" },
	{ "<a =x>b", "b" },
	{ "<a ==\">\">b", "b" },
	{ "<a href=>b", "b" },
	{ "<a / b / c>d", "d" },
	{ "<img alt=\"not shown\">x", "x" },
	{ "a<b", "a" },
	{ "a<b c=\"never ends>", "a" },
	/* what is no tag */
	{ "1 < 2", "1 < 2" },
	{ "a<", "a<" },
	{ "a<1>", "a<1>" },
	{ "a</", "a</" },
	{ "a</>b", "ab" },
	{ "a</ b>c", "ac" },
	{ "a<?php > b", "a b" },
	{ "a<!>b", "ab" },
	{ "a<!doctype \">b", "ab" },
	{ "a<!DOCTYPE html PUBLIC \"-//x>b", "ab" },
	{ "a<![CDATA[b>c]]>d", "ac]]>d" },
	/* comments */
	{ "a<!-- > -- > - -> -->b", "ab" },
	{ "a<!-->b", "ab" },
	{ "a<!--->b", "ab" },
	{ "a<!---->b", "ab" },
	{ "a<!-----><b>b", "ab" },
	{ "a<!-- x --!>b", "ab" },
	{ "a<!----!>b", "ab" },
	{ "a<!---!>b-->c", "ac" },
	{ "a<!--!>b-->c", "ac" },
	{ "a<!-- <!-- -->b-->", "ab-->" },
	{ "a<!-- <!-->b", "ab" },
	{ "a<!-- --!-->b", "ab" },
	{ "a<!-- never ends > -", "a" },
	{ "a<!- x>b", "ab" },
	/* what browsers do not show */
	{ "a<script>b</script>c", "ac" },
	{ "a<script>\"</scriptx>\"</script >c", "ac" },
	{ "a<script><!-- </script>b --></script>c", "ab -->c" },
	{ "a<script><!-- <script> </script> --></script>b", "ab" },
	{ "a<script><!-- <script> --> </script>b", "ab" },
	{ "a<script><!-- <script> </script> </script>b", "ab" },
	{ "a<script><!--><script></script>b", "ab" },
	{ "a<script><!-- <scripty> </script>b", "ab" },
	{ "a<SCRIPT>b</Script/>c", "ac" },
	{ "a<style>b<p></style>c", "ac" },
	{ "a<style><!-- </style> -->b", "a -->b" },
	{ "a<script>never ends", "a" },
	{ "a<template>b<template>c</template>d</template>e", "ae" },
	{ "<title>A &amp; <b></title>c", "A & <b>\nc" },
	{ "<title>a</titlex>b</title>c", "a</titlex>b\nc" },
	{ "<textarea> a\n b <p></textarea>", " a\n b <p>" },
	{ "<iframe><p>x</iframe>y", "y" },
	{ "<noscript>a</noscript>b", "ab" },
	{ "<xmp><b>&amp;</xmp>c", "<b>&amp;\nc" },
	{ "a<plaintext>b</plaintext>&amp;", "a\nb</plaintext>&amp;" },
	{ "<html><head><meta name=x content=y><link rel=z></head><body>a</body></html>", "a" },
	/* SVG and MathML have rules of their own */
	{ "a<svg><![CDATA[b<c>]]></svg>d", "ab<c>d" },
	{ "a<svg/><![CDATA[b]]>d", "ad" },
	{ "a<svg><style>b<i>c</style>d", "acd" },
	{ "a<svg><style>b</style>c</svg>d", "acd" },
	{ "a<svg><title><![CDATA[b]]></title><![CDATA[c]]></svg>", "ab\nc" },
	{ "a<template>b<svg>c</template>d<![CDATA[e]]>f", "adf" },
	{ "a<svg><desc><i></i><![CDATA[b]]></desc><![CDATA[c]]></svg>", "ac" },
	{ "a<svg><mi><title><b>c</title></svg>d", "ac\nd" },
	{ "a<svg><p><![CDATA[b]]>c", "a\nc" },
	{ "a<math><mi><![CDATA[b]]>x</mi><![CDATA[c]]></math><![CDATA[d]]>e", "abxce" },
	/* character references */
	{ "&amp;&lt;&gt;&quot;&apos;", "&<>\"'" },
	{ "a&nbsp;b&nbsp;&nbsp;c", "a b c" },
	{ "a\xc2\xa0""b \xc2\xa9", "a b \xc2\xa9" },
	{ "&eacute;&Eacute;", "\xc3\xa9\xc3\x89" },
	{ "&eacutex &notit; &notin;", "\xc3\xa9x \xc2\xacit; \xe2\x88\x89" },
	{ "&ampamp; &ampx", "&amp; &x" },
	{ "&nosuch; & &; &a", "&nosuch; & &; &a" },
	{ "&hearts;&hearts", "\xe2\x99\xa5&hearts" },
	{ "&CounterClockwiseContourIntegral;", "\xe2\x88\xb3" },
	{ "&nGt;&NotEqualTilde;", "\xe2\x89\xab\xe2\x83\x92\xe2\x89\x82\xcc\xb8" },
	{ "&#65;&#x42;&#X43;&#68", "ABCD" },
	{ "&#128;&#x99;&#150;", "\xe2\x82\xac\xe2\x84\xa2\xe2\x80\x93" },
	{ "&#0;&#xD800;&#x110000;&#99999999999999;", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "&#; &#x; &#xg;", "&#; &#x; &#xg;" },
	{ "&#x1F600;", "\xf0\x9f\x98\x80" },
	{ "&#160;a&#32;&#32;b", "a  b" },
	{ "<pre>&nbsp;a&nbsp;&nbsp;b", " a  b" },
	{ "&#6<b>5;", "\x06""5;" },
	{ "caf\xe9 \xff", "caf\xe9 \xff" },
};

START_TEST(text)
{
	struct arena a = { 0 };
	struct str v = html_text(&a, str_from(cases[_i].html));

	ck_assert_msg(str_is(v, cases[_i].text), "%s: \"%.*s\" is not \"%s\"",
	              cases[_i].html, STR_ARG(v), cases[_i].text);
	arena_done(&a);
}
END_TEST

START_TEST(nul_does_not_end_it)
{
	static const char html[] = "a\0<b\0>c";
	struct arena a = { 0 };

	ck_assert(str_eq(html_text(&a, (struct str){ html, sizeof html - 1 }), (struct str){ "a\0c", 3 }));
	arena_done(&a);
}
END_TEST

static const struct {
	const char *html, *charset;     /* NULL: none */
} metas[] = {
	{ "<meta charset=koi8-r>", "koi8-r" },
	{ "<html><META http-equiv='Content-Type' content='text/html; charset=windows-1251'>", "windows-1251" },
	{ "<meta charset = \"utf-8\" />", "utf-8" },
	{ "<meta name=x><meta charset=a>", "a" },
	{ "<!-- <meta charset=a> -->", NULL },
	{ "<metax charset=a>", NULL },
	{ "<meta charset>", NULL },
	{ "<meta charset=", NULL },
	{ "<meta charset=utf-16>", NULL },
	{ "charset=a", NULL },
	{ "<meta", NULL },
	{ "", NULL },
};

START_TEST(meta)
{
	struct str v;
	int found = html_charset(str_from(metas[_i].html), &v);

	ck_assert_int_eq(found, metas[_i].charset != NULL);
	if (found)
		ck_assert(str_is(v, metas[_i].charset));
}
END_TEST

START_TEST(meta_within_the_first_kilobyte)
{
	struct buf b = { 0 };
	struct str v;

	while (b.len < 1000)
		buf_putc(&b, ' ');
	buf_puts(&b, "<meta charset=a>");
	ck_assert_int_eq(html_charset(buf_str(&b), &v), 1);
	buf_reset(&b);
	while (b.len < 1010)
		buf_putc(&b, ' ');
	buf_puts(&b, "<meta charset=a>");
	ck_assert_int_eq(html_charset(buf_str(&b), &v), 0);
	buf_done(&b);
}
END_TEST

/* The output was promised to have room: nothing grows by more than 5/4. */
START_TEST(references_stay_small)
{
	char dst[ENTITY_MAX];
	size_t len;

	ck_assert_uint_eq(entity_read(STR("&nGt;x"), dst, &len), 5);
	ck_assert_uint_eq(len, 6);
	ck_assert_uint_eq(entity_read(STR("&gt"), dst, &len), 3);
	ck_assert_uint_eq(entity_read(STR("&#0"), dst, &len), 3);
	ck_assert_uint_eq(len, 3);
	ck_assert_uint_eq(entity_read(STR("&"), dst, &len), 0);
	ck_assert_uint_eq(entity_read(STR("&zwnj;"), dst, &len), 6);
}
END_TEST

/* Each unit again and again: time and room stay linear. */
START_TEST(hostile)
{
	static const char *const unit[] = {
		"<", "<a", "<!--", "<!", "</", "<a b='", "&", "&#", "&nGt;", "<svg>", "<svg><title>", "<template>", "<pre>",
		"<script>", "<script><!--", "<title>", "</svg>", "<td> ", "\xc2", "<![CDATA[", "<svg><![CDATA[", "-->",
		"<a/", "<a =", "&nGt", "<pre>\n", "<style>", "<svg><style>", "\xc2\xa0", "<p>x", "<svg><p>", "<b x=\"y\">",
	};
	struct arena a = { 0 };
	struct buf b = { 0 };
	struct str v;

	while (b.len < 300000)
		buf_puts(&b, unit[_i]);
	v = html_text(&a, buf_str(&b));
	ck_assert_uint_le(v.len, b.len + b.len / 4);
	buf_done(&b);
	arena_done(&a);
}
END_TEST

/* pieces of markup in any order (fixed seed): nothing to compare, but the
 * sanitizers look on */
START_TEST(garbage)
{
	static const char *const piece[] = {
		"<", ">", "/", "!", "--", "-", "a", "script", "svg", "title", "=", "\"", "'", " ", "&", "#", "x", "amp;",
		"]]>", "[CDATA[", "<!--", "-->", "</", "style", "\n", "p", "td", "pre", "template", "math", "mi", "&#x", "\xc2",
	};
	uint32_t seed = 1;

	for (int round = 0; round < 20000; round++) {
		struct arena a = { 0 };
		struct buf b = { 0 };
		char *copy;
		size_t n;

		for (n = 0; n < 12; n++) {
			seed = seed * 1664525 + 1013904223;
			buf_puts(&b, piece[(seed >> 8) % (sizeof piece / sizeof *piece)]);
		}
		/* exactly as long as it is, so that a read beyond is seen */
		copy = malloc(b.len);
		memcpy(copy, b.s, b.len);
		ck_assert_uint_le(html_text(&a, (struct str){ copy, b.len }).len, b.len + b.len / 4);
		free(copy);
		buf_done(&b);
		arena_done(&a);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("mail/html");
	TCase *c = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_set_timeout(c, 30);
	tcase_add_loop_test(c, text, 0, sizeof cases / sizeof *cases);
	tcase_add_test(c, nul_does_not_end_it);
	tcase_add_loop_test(c, meta, 0, sizeof metas / sizeof *metas);
	tcase_add_test(c, meta_within_the_first_kilobyte);
	tcase_add_test(c, references_stay_small);
	tcase_add_loop_test(c, hostile, 0, 32);
	tcase_add_test(c, garbage);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
