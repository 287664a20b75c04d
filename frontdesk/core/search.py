"""Search by words: the columns it reads, the functions that run it, and the conditions that statements use.

A trigram or word index is not used under a row-level policy, because its operators are not leakproof. So a search runs
in a function of the system role, which is exempt, filters by `app.org` itself and gives ids; the statement around it
reads the rows under the policy. A fuzzy resource ranks: whole words before parts of words, and only where neither is
found, what is written alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Computed,
    Index,
    Table,
    Text,
    and_,
    bindparam,
    column,
    func,
    literal_column,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.sql.selectable import CTE

from .schema import APP_ROLE, ORGANIZATION, SYSTEM_ROLE

COUNTED = 10_000  # rows to which the total of a search is exact; beyond, it is a minimum
CANDIDATES = 100_000  # ids that a search gives at most where more conditions will leave some of them out
# How much of its trigrams a misspelt word shares with the right one, tried in turn: the first finds most slips and
# reads little. Of 500 single slips in 25 words (a letter left out, doubled, swapped or changed) 0.5 finds 60 %, 0.3
# finds 95 %.
SIMILAR = (0.5, 0.3)
NEAR = 0.75  # of the best one; what is much less alike is not meant
SHORTEST = 3  # characters; shorter texts are like everything
WORD, TEXT, NAMES = "search_words", "search_text", "search_names"


def searched_columns(table: str, names: Sequence[str], fuzzy: Sequence[str]) -> Iterator[Column[object] | Index]:
    """The computed columns of a searched table, and their indexes. `fuzzy` are the names that may be misspelt."""
    yield from _trigrams(table, TEXT, names)
    if fuzzy:
        # Names are short: what is alike costs a comparison of each candidate's whole text.
        yield from _trigrams(table, NAMES, fuzzy)
        # No stemming: rows of one table are in any language. Words of the names weigh most.
        yield Column(WORD, TSVECTOR, Computed(_weighted(names, fuzzy), persisted=True))
        yield Index(f"ix_{table}_{WORD}", WORD, postgresql_using="gin")


def _trigrams(table: str, column_name: str, names: Sequence[str]) -> Iterator[Column[object] | Index]:
    shown = " || ' ' || ".join(f"coalesce({name}, '')" for name in names)
    yield Column(column_name, Text, Computed(f"frontdesk_fold({shown})", persisted=True))
    operators = {column_name: "gin_trgm_ops"}
    yield Index(f"ix_{table}_{column_name}", column_name, postgresql_using="gin", postgresql_ops=operators)


def _weighted(names: Sequence[str], fuzzy: Sequence[str]) -> str:
    words = "setweight(to_tsvector('simple'::regconfig, frontdesk_fold(coalesce({}, ''))), '{}')"
    return " || ".join(words.format(name, "A" if name in fuzzy else "B") for name in names)


def is_fuzzy(table: Table) -> bool:
    return WORD in table.c


def _seen(table: Table) -> str:
    own = f"t.organization_id = {ORGANIZATION}"
    seen = f"({own} OR t.organization_id IS NULL)" if table.c.organization_id.nullable else own
    return f"{seen} AND (with_deleted OR t.deleted_at IS NULL)" if "deleted_at" in table.c else seen


PATTERN = "'%' || regexp_replace(word, '([%_\\\\])', '\\\\\\1', 'g') || '%'"
WORDS = "regexp_split_to_table(public.frontdesk_fold(trim({})), '\\s+') AS word"


def search_query(table: Table) -> str:
    """The ids of an organization's rows that contain every word of `term`.

    `LIKE ALL` cannot use the trigram index, so the longest word stands alone: its index leaves few rows to check.
    """
    words = WORDS.format("term")
    return f"""
        SELECT t.id FROM public."{table.name}" t
        WHERE {_seen(table)}
          AND t.search_text LIKE (SELECT {PATTERN} FROM {words} ORDER BY length(word) DESC LIMIT 1)
          AND t.search_text LIKE ALL (SELECT {PATTERN} FROM {words})
        LIMIT most
    """


def whole_words_query(table: Table) -> str:
    """The rows that have all words, best first: in the first field, often, close to the text's whole."""
    return f"""
        SELECT t.id, ts_rank(t.{WORD}, wanted_words) AS rank FROM public."{table.name}" t
        WHERE {_seen(table)} AND t.{WORD} @@ wanted_words LIMIT most
    """


def parts_query(table: Table) -> str:
    """The rows that contain all words as parts of words only."""
    return f"""
        SELECT t.id, 0 AS rank FROM public."{table.name}" t
        WHERE {_seen(table)} AND t.search_text LIKE word_patterns[1] AND t.search_text LIKE ALL (word_patterns)
          AND NOT t.{WORD} @@ wanted_words LIMIT most
    """


def alike_query(table: Table) -> str:
    """The rows whose names have words written like the term: the nearest first, nothing far from those."""
    return f"""
        SELECT a.id FROM (
            SELECT t.id, strict_word_similarity(folded_term, t.{NAMES}) AS alike,
                max(strict_word_similarity(folded_term, t.{NAMES})) OVER () AS best
            FROM public."{table.name}" t
            WHERE {_seen(table)} AND folded_term OPERATOR(public.<<%) t.{NAMES}
        ) a WHERE a.alike >= {NEAR} * a.best ORDER BY a.alike DESC, a.id LIMIT most
    """


def _fuzzy_body(table: Table) -> str:
    words = WORDS.format("term")
    return f"""
DECLARE
    folded_term text := frontdesk_fold(trim(term));
    word_patterns text[] := (SELECT array_agg({PATTERN} ORDER BY length(word) DESC) FROM {words});
    wanted_words tsquery := plainto_tsquery('simple', folded_term);
    least_alike text;
BEGIN
    RETURN QUERY SELECT f.id FROM (({whole_words_query(table)}) UNION ALL ({parts_query(table)})) f
        ORDER BY f.rank DESC, f.id LIMIT most;
    IF FOUND OR length(folded_term) < {SHORTEST} THEN
        RETURN;
    END IF;
    FOREACH least_alike IN ARRAY '{{{", ".join(map(str, SIMILAR))}}}'::text[] LOOP
        -- Not a SET of the function: to store one for an extension that is not loaded yet takes a superuser.
        PERFORM set_config('pg_trgm.strict_word_similarity_threshold', least_alike, true);
        RETURN QUERY {alike_query(table)};
        EXIT WHEN FOUND;
    END LOOP;
END
"""


def search_function(table: Table) -> Iterator[str]:
    """`search_<table>(term, most, with_deleted)`: at most `most` ids, in the order of relevance where it is fuzzy."""
    name = f"search_{table.name}"
    signature = f"{name}(text, integer, boolean)"
    body = _fuzzy_body(table) if is_fuzzy(table) else search_query(table)
    # Each term has a plan of its own: how many rows a word leaves differs too much for one plan for all.
    how = "plpgsql STABLE SET plan_cache_mode = force_custom_plan" if is_fuzzy(table) else "sql STABLE"
    yield f"DROP FUNCTION IF EXISTS {name}(text)"
    yield f"""
        CREATE OR REPLACE FUNCTION {name}(term text, most integer DEFAULT {COUNTED + 1},
            with_deleted boolean DEFAULT false) RETURNS SETOF bigint
        LANGUAGE {how} SECURITY DEFINER SET search_path = public, pg_temp
        AS $$ {body} $$
    """
    yield f"ALTER FUNCTION {signature} OWNER TO {SYSTEM_ROLE}"
    yield f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC"
    yield f"GRANT EXECUTE ON FUNCTION {signature} TO {APP_ROLE}, {SYSTEM_ROLE}"


def found_rows(table: Table, *, most: int, with_deleted: bool) -> CTE:
    """What the search for the parameter `term` found: `id`, and `place` in the order of relevance."""
    call = text(f"SELECT search_{table.name}(:term, {most}, {str(with_deleted).lower()})")
    ids = func.array(call.bindparams(bindparam("term", type_=Text())))
    # An array first, so that the planner goes from the few ids to their rows and not the other way round.
    found = func.unnest(ids).table_valued(column("id", BigInteger), with_ordinality="place").render_derived(name="u")
    return select(found.c.id, found.c.place).cte("found")


def contains_words(table: Table) -> ColumnElement[bool]:
    """Every word of the parameter `term` occurs, read row by row: for the few rows of a conversation's contact."""
    patterns = f"SELECT {PATTERN} FROM {WORDS.format(':term')}"
    rule = text(f'"{table.name}".search_text LIKE ALL (ARRAY({patterns}))')
    return and_(true(), rule.bindparams(bindparam("term", type_=Text())))


def contains_part(table: Table, value: ColumnElement[object]) -> ColumnElement[bool]:
    """The text of a searched table contains `value`, whatever its case and accents: a partial match for a filter.

    The search finds the rows with all of its words; among them stand those that have it in one piece."""
    searched = getattr(func, f"search_{table.name}")
    found = select(searched(value, literal_column(str(CANDIDATES)), literal_column("false")))
    ids = func.unnest(func.array(found.scalar_subquery()))
    return and_(table.c.id.in_(select(ids)), func.strpos(table.c.search_text, func.frontdesk_fold(value)) > 0)
