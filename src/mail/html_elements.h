/* html_elements.h - the elements that change how HTML is read or laid out
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Included by html.c alone; sorted by name. */
#ifndef MAIL_HTML_ELEMENTS_H
#define MAIL_HTML_ELEMENTS_H

/* what an element does */
enum {
	BLOCK = 1, CELL = 2,            /* GAP_LINE, GAP_BLANK around it */
	PRE = 4,                        /* blanks count */
	RCDATA = 8, RAWTEXT = 16, SCRIPT = 32, PLAINTEXT = 64,  /* what the tokenizer does inside */
	HIDDEN = 128,                   /* its text is dropped */
	TEMPLATE = 256,
	SVG = 512, MATH = 1024,         /* other rules inside */
	IN_SVG = 2048, IN_MATH = 4096,  /* in those: HTML again inside */
	BREAKOUT = 8192                 /* ends those */
};

struct element {
	const char *name;
	unsigned does;
};

static const struct element elements[] = {
	{ "address", BLOCK },
	{ "article", BLOCK },
	{ "aside", BLOCK },
	{ "b", BREAKOUT },
	{ "big", BREAKOUT },
	{ "blockquote", BLOCK | BREAKOUT },
	{ "body", BLOCK | BREAKOUT },
	{ "br", BLOCK | BREAKOUT },
	{ "caption", BLOCK },
	{ "center", BLOCK | BREAKOUT },
	{ "code", BREAKOUT },
	{ "dd", BLOCK | BREAKOUT },
	{ "desc", IN_SVG },
	{ "details", BLOCK },
	{ "dialog", BLOCK },
	{ "dir", BLOCK },
	{ "div", BLOCK | BREAKOUT },
	{ "dl", BLOCK | BREAKOUT },
	{ "dt", BLOCK | BREAKOUT },
	{ "em", BREAKOUT },
	{ "embed", BREAKOUT },
	{ "fieldset", BLOCK },
	{ "figcaption", BLOCK },
	{ "figure", BLOCK },
	{ "footer", BLOCK },
	{ "foreignobject", IN_SVG },
	{ "form", BLOCK },
	{ "frameset", BLOCK },
	{ "h1", BLOCK | BREAKOUT },
	{ "h2", BLOCK | BREAKOUT },
	{ "h3", BLOCK | BREAKOUT },
	{ "h4", BLOCK | BREAKOUT },
	{ "h5", BLOCK | BREAKOUT },
	{ "h6", BLOCK | BREAKOUT },
	{ "head", BLOCK | BREAKOUT },
	{ "header", BLOCK },
	{ "hgroup", BLOCK },
	{ "hr", BLOCK | BREAKOUT },
	{ "html", BLOCK },
	{ "i", BREAKOUT },
	{ "iframe", RAWTEXT | HIDDEN },
	{ "img", BREAKOUT },
	{ "legend", BLOCK },
	{ "li", BLOCK | BREAKOUT },
	{ "listing", BLOCK | PRE | BREAKOUT },
	{ "main", BLOCK },
	{ "math", MATH },
	{ "menu", BLOCK | BREAKOUT },
	{ "meta", BREAKOUT },
	{ "mi", IN_MATH },
	{ "mn", IN_MATH },
	{ "mo", IN_MATH },
	{ "ms", IN_MATH },
	{ "mtext", IN_MATH },
	{ "nav", BLOCK },
	{ "nobr", BREAKOUT },
	{ "noembed", RAWTEXT | HIDDEN },
	{ "noframes", RAWTEXT | HIDDEN },
	{ "ol", BLOCK | BREAKOUT },
	{ "optgroup", BLOCK },
	{ "option", BLOCK },
	{ "p", BLOCK | BREAKOUT },
	{ "plaintext", BLOCK | PRE | PLAINTEXT },
	{ "pre", BLOCK | PRE | BREAKOUT },
	{ "ruby", BREAKOUT },
	{ "s", BREAKOUT },
	{ "script", SCRIPT | HIDDEN },
	{ "search", BLOCK },
	{ "section", BLOCK },
	{ "small", BREAKOUT },
	{ "span", BREAKOUT },
	{ "strike", BREAKOUT },
	{ "strong", BREAKOUT },
	{ "style", RAWTEXT | HIDDEN },
	{ "sub", BREAKOUT },
	{ "summary", BLOCK },
	{ "sup", BREAKOUT },
	{ "svg", SVG },
	{ "table", BLOCK | BREAKOUT },
	{ "tbody", BLOCK },
	{ "td", CELL },
	{ "template", TEMPLATE },
	{ "textarea", BLOCK | PRE | RCDATA },
	{ "tfoot", BLOCK },
	{ "th", CELL },
	{ "thead", BLOCK },
	{ "title", BLOCK | RCDATA | IN_SVG },
	{ "tr", BLOCK },
	{ "tt", BREAKOUT },
	{ "u", BREAKOUT },
	{ "ul", BLOCK | BREAKOUT },
	{ "var", BREAKOUT },
	{ "xmp", BLOCK | PRE | RAWTEXT },
};

#endif
