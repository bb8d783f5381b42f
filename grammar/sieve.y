/* sieve.y - the grammar of RFC 5228 section 8.2; no command name stands here
 * SPDX-License-Identifier: BSD-2-Clause */
%code requires {
#include "lang/parse.h"
}

%code {
#define YYLLOC_DEFAULT(current, rhs, n) \
	((current).from = (n) ? YYRHSLOC(rhs, 1).from : YYRHSLOC(rhs, 0).to, \
	 (current).to = (n) ? YYRHSLOC(rhs, n).to : YYRHSLOC(rhs, 0).to)

int parse_token(YYSTYPE *, struct span *, struct parse *);
#define sieve_lex parse_token
static void yyerror(struct span *, struct parse *, const char *);
}

%define api.pure full
%define api.prefix {sieve_}
%define api.location.type {struct span}
%define parse.error custom
%locations
%expect 0
%param { struct parse *p }

%union {
	struct str text;
	uint64_t number;
	struct ast_string string;
	struct { struct ast_arg *first, *last; } args;
	struct ast_node *node;
	struct { struct ast_node *first, *last; } nodes;
}

%token END 0           "end of file"
%token <text> IDENTIFIER "identifier"
%token <text> TAG      "tag"
%token <number> NUMBER "number"
%token <string> STRING "string"
%token BROKEN          "broken token"

%type <nodes> commands tests block
%type <node> command head
%type <args> arguments

/* tree and strings live in arenas: nothing to destroy */
%destructor { (void)$$; } <node> <nodes> <args>

%%

/* Commands at the top are handed over one by one, so that the tree of a long script never stands as a whole. */
start:
	%empty
	| start command                         { parse_command(p, $2); }
	| start error ';'                       { yyerrok; }
	| start error block                     { (void)$3; yyerrok; }
	;

commands:
	%empty                                  { $$.first = $$.last = NULL; }
	| commands command                      { $$ = $1; parse_append(&$$.first, &$$.last, $2); }
	| commands error ';'                    { $$ = $1; yyerrok; }
	| commands error block                  { $$ = $1; (void)$3; yyerrok; }
	;

command:
	head ';'                                { $$ = $1; }
	| head block                            { $$ = $1; $$->has_block = true; $$->block = $2.first; }
	;

block:
	'{' commands '}'                        { $$ = $2; }
	;

/* arguments = *argument [ test / test-list ] */
head:
	IDENTIFIER arguments                    { $$ = parse_node(p, $1, @1, $2.first, @2.to); }
	| IDENTIFIER arguments head             { $$ = parse_node(p, $1, @1, $2.first, @3.to); $$->tests = $3; }
	| IDENTIFIER arguments '(' tests ')'    { $$ = parse_node(p, $1, @1, $2.first, @5.to); $$->tests = $4.first;
	                                          $$->parenthesised = true; }
	;

/* a test is what the head of a command is */
tests:
	head                                    { $$.first = $$.last = $1; }
	| tests ',' head                        { $$ = $1; $$.last->next = $3; $$.last = $3; }
	;

arguments:
	%empty                                  { $$.first = $$.last = NULL; }
	| arguments TAG                         { $$ = $1; parse_arg(p, &$$.first, &$$.last, AST_TAG, @2)->tag = $2; }
	| arguments NUMBER                      { $$ = $1; parse_arg(p, &$$.first, &$$.last, AST_NUMBER, @2)->number = $2; }
	| arguments STRING                      { $$ = $1; parse_one_string(p, parse_arg(p, &$$.first, &$$.last, AST_STRING, @2), $2); }
	| arguments '[' strings ']'             { $$ = $1; parse_strings(p, parse_arg(p, &$$.first, &$$.last, AST_STRINGS, SPAN(@2.from, @4.to))); }
	| arguments '[' ']'                     { $$ = $1; parse_empty_list(p, parse_arg(p, &$$.first, &$$.last, AST_STRINGS, SPAN(@2.from, @3.to))); }
	;

/* kept in the parser's own array: lists do not nest */
strings:
	STRING                                  { parse_string(p, $1); }
	| strings ',' STRING                    { parse_string(p, $3); }
	;

%%

#define EXPECTED_MAX 24

static int
yyreport_syntax_error(const yypcontext_t *context, struct parse *p)
{
	yysymbol_kind_t expected[EXPECTED_MAX], got = yypcontext_token(context);
	int n = yypcontext_expected_tokens(context, expected, EXPECTED_MAX);
	const char *names[EXPECTED_MAX];
	int count = 0;

	if (got == YYSYMBOL_BROKEN)             /* the lexer has told */
		return 0;
	for (int i = 0; i < n; i++)
		if (expected[i] != YYSYMBOL_BROKEN && expected[i] != YYSYMBOL_YYerror)
			names[count++] = yysymbol_name(expected[i]);
	parse_unexpected(p, *yypcontext_location(context), yysymbol_name(got), got == YYSYMBOL_YYEOF, names, count);
	return 0;
}

static void
yyerror(struct span *at, struct parse *p, const char *text)
{
	diag_error(p->lex.diag, p->lex.source, *at, NULL, "%s", text);
}
