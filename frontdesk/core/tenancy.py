"""What PostgreSQL itself enforces: the two roles, the row-level policies, and the search that policies allow.

All of it is read off the MetaData, so that a new table is covered by having an `organization_id`. Migrations run
these statements; a test compares them with the live database.
"""

from collections.abc import Iterator

from sqlalchemy import MetaData, Table

from frontdesk.core.custom_values import FEW
from frontdesk.core.schema import APP_ROLE, ORGANIZATION, SYSTEM_ROLE
from frontdesk.core.search import search_function

EXTENSIONS = ("btree_gist", "pg_trgm", "unaccent")

# unaccent() is only STABLE because its dictionary could be changed; ours is fixed, and an index needs IMMUTABLE.
FOLD = """
CREATE OR REPLACE FUNCTION frontdesk_fold(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT lower(public.unaccent('public.unaccent'::regdictionary, $1)) $$
"""


def role_statements() -> Iterator[str]:
    """Both roles, which live in the whole server: another database may have made them, even at this moment."""
    for role in (APP_ROLE, SYSTEM_ROLE):
        yield f"""
            DO $$ BEGIN
                CREATE ROLE {role} NOLOGIN;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END $$
        """
        # From PostgreSQL 16 on, who makes a role is a member that may not take it until it grants itself that. Where
        # somebody else made the roles, that one has granted them.
        yield f"""
            DO $$ BEGIN
                IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
                    EXECUTE format('GRANT {role} TO %I', current_user);
                END IF;
            EXCEPTION WHEN insufficient_privilege THEN
                IF NOT pg_has_role(current_user, '{role}', 'MEMBER') THEN RAISE; END IF;
            END $$
        """
        yield f"GRANT USAGE ON SCHEMA public TO {role}"


def extension_statements() -> Iterator[str]:
    """What every server brings. `vector` comes with the first table that needs it: not every server has it."""
    for name in EXTENSIONS:
        yield f"CREATE EXTENSION IF NOT EXISTS {name} SCHEMA public"
    yield FOLD


def is_tenant(table: Table) -> bool:
    return "organization_id" in table.c


def table_statements(table: Table) -> Iterator[str]:
    """Rights and policies of one table.

    A row without an organization is the installation's: everybody reads it, only the system role writes it. A table
    without the column belongs to the system role, unless its `info` grants the application's role some verbs.
    """
    name = f'"{table.name}"'
    yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO {SYSTEM_ROLE}"
    if table.name == "organizations":
        yield from _fence(name, f"id = {ORGANIZATION}", f"id = {ORGANIZATION}")
        return
    if not is_tenant(table):
        if granted := table.info.get("app_grants"):
            yield f"GRANT {granted} ON {name} TO {APP_ROLE}"
        if seen := table.info.get("app_policy"):
            yield f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"
            yield f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY"
            yield f"CREATE POLICY of_organization ON {name} FOR SELECT TO {APP_ROLE} USING ({seen})"
            yield f"CREATE POLICY of_system ON {name} TO {SYSTEM_ROLE} USING (true) WITH CHECK (true)"
        return
    own = f"organization_id = {ORGANIZATION}"
    yield from _fence(name, f"organization_id IS NULL OR {own}" if table.c.organization_id.nullable else own, own)
    yield from function_statements(table)


def function_statements(table: Table) -> Iterator[str]:
    """The functions that read a tenant's table by an index which its policy would forbid."""
    if "search_text" in table.c:
        yield from search_function(table)
    if "custom_fields" in table.c:
        yield from _exempt(f"with_custom_{table.name}", "wanted jsonb", custom_query(table))


def _fence(name: str, seen: str, written: str) -> Iterator[str]:
    yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO {APP_ROLE}"
    yield f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"
    yield f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY"
    yield f"CREATE POLICY of_organization ON {name} TO {APP_ROLE} USING ({seen}) WITH CHECK ({written})"
    yield f"CREATE POLICY of_system ON {name} TO {SYSTEM_ROLE} USING (true) WITH CHECK (true)"


def custom_query(table: Table) -> str:
    """The ids of an organization's rows that contain the custom values `wanted`, or one more than `FEW`.

    Values are keyed by the ids of definitions, which no two organizations share, so the index needs no tenant.
    """
    return f"""
        SELECT id FROM public."{table.name}"
        WHERE organization_id = {ORGANIZATION} AND custom_fields <> '{{}}'::jsonb AND custom_fields @> wanted
        LIMIT {FEW + 1}
    """


def _exempt(name: str, parameter: str, query: str) -> Iterator[str]:
    """A query as a function of the system role: under a policy, an index is used by leakproof operators only, and
    the containment of JSONB is none. The function is exempt and filters by the organization itself."""
    signature = f"{name}({parameter.split()[-1]})"
    yield f"""
        CREATE OR REPLACE FUNCTION {name}({parameter}) RETURNS SETOF bigint
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
        AS $$ {query} $$
    """
    yield f"ALTER FUNCTION {signature} OWNER TO {SYSTEM_ROLE}"
    yield f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC"
    yield f"GRANT EXECUTE ON FUNCTION {signature} TO {APP_ROLE}, {SYSTEM_ROLE}"


def statements(metadata: MetaData) -> Iterator[str]:
    """Everything that follows the tables' creation."""
    # Who gives a function away must see its new owner able to make one.
    yield f"GRANT CREATE ON SCHEMA public TO {SYSTEM_ROLE}"
    for table in metadata.sorted_tables:
        yield from table_statements(table)
    yield f"REVOKE CREATE ON SCHEMA public FROM {SYSTEM_ROLE}"
    yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {APP_ROLE}, {SYSTEM_ROLE}"
    yield f"GRANT SELECT ON alembic_version TO {SYSTEM_ROLE}"
