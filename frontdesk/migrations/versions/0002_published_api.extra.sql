
-- The demo organization, whose API may be tried without end. Roles are set because the tables' policies bind their owner.
SET LOCAL ROLE frontdesk_system;
UPDATE organizations SET rate_limit = '0' WHERE id IN (
    SELECT m.organization_id FROM members m JOIN users u ON u.id = m.user_id
    WHERE lower(u.email) = 'demo@example.com' AND m.role = 'owner'
);
RESET ROLE;

-- Existing organizations get what a new one begins with (starting_rows.py): a pipeline for deals, and their currency.
SET LOCAL ROLE frontdesk_system;
WITH made AS (
    INSERT INTO pipelines (organization_id, name, entity, position, created_at, updated_at)
    SELECT id, 'Sales', 'deals', 1, now(), now() FROM organizations RETURNING organization_id, id
)
INSERT INTO pipeline_stages (organization_id, pipeline_id, name, position, created_at, updated_at)
SELECT made.organization_id, made.id, stage.name, stage.position, now(), now()
FROM made, unnest(ARRAY['New', 'Qualified', 'Proposal', 'Negotiation']) WITH ORDINALITY AS stage (name, position);
INSERT INTO currencies (organization_id, code, name, symbol, is_default, created_at, updated_at)
SELECT o.id, o.currency, coalesce(known.name, o.currency), coalesce(known.symbol, o.currency), true, now(), now()
FROM organizations o LEFT JOIN (VALUES
        ('ARS', 'Argentine Peso', 'ARS'), ('AUD', 'Australian Dollar', 'A$'), ('BRL', 'Brazilian Real', 'R$'),
        ('CAD', 'Canadian Dollar', 'CA$'), ('CHF', 'Swiss Franc', 'CHF'), ('CLP', 'Chilean Peso', 'CLP'),
        ('CNY', 'Chinese Yuan', 'CN¥'), ('COP', 'Colombian Peso', 'COP'), ('CRC', 'Costa Rican Colón', 'CRC'),
        ('CZK', 'Czech Koruna', 'CZK'), ('DKK', 'Danish Krone', 'DKK'), ('DOP', 'Dominican Peso', 'DOP'),
        ('EUR', 'Euro', '€'), ('GBP', 'British Pound', '£'), ('GTQ', 'Guatemalan Quetzal', 'GTQ'),
        ('HKD', 'Hong Kong Dollar', 'HK$'), ('HUF', 'Hungarian Forint', 'HUF'), ('IDR', 'Indonesian Rupiah', 'IDR'),
        ('ILS', 'Israeli New Shekel', '₪'), ('INR', 'Indian Rupee', '₹'), ('JPY', 'Japanese Yen', '¥'),
        ('KRW', 'South Korean Won', '₩'), ('MXN', 'Mexican Peso', 'MX$'), ('MYR', 'Malaysian Ringgit', 'MYR'),
        ('NGN', 'Nigerian Naira', 'NGN'), ('NOK', 'Norwegian Krone', 'NOK'), ('NZD', 'New Zealand Dollar', 'NZ$'),
        ('PEN', 'Peruvian Sol', 'PEN'), ('PHP', 'Philippine Peso', '₱'), ('PLN', 'Polish Zloty', 'PLN'),
        ('RON', 'Romanian Leu', 'RON'), ('SEK', 'Swedish Krona', 'SEK'), ('SGD', 'Singapore Dollar', 'SGD'),
        ('THB', 'Thai Baht', 'THB'), ('TRY', 'Turkish Lira', 'TRY'), ('TWD', 'New Taiwan Dollar', 'NT$'),
        ('UAH', 'Ukrainian Hryvnia', 'UAH'), ('USD', 'US Dollar', '$'), ('UYU', 'Uruguayan Peso', 'UYU'),
        ('VND', 'Vietnamese Dong', '₫'), ('ZAR', 'South African Rand', 'ZAR')
    ) AS known (code, name, symbol) ON known.code = o.currency;
RESET ROLE;

-- The search for conversations by what was said in them. Two ways, because no index is good at both: a word that is in
-- less than one message of two hundred is found by its trigrams, here; of a word that is everywhere the answer is NULL, and
-- the list reads its rows one by one until the page is full. Which it is, the newest messages tell. Costs: docs/why/0053.
GRANT CREATE ON SCHEMA public TO frontdesk_system;
CREATE OR REPLACE FUNCTION search_patterns(term text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = public, pg_temp
AS $$
    SELECT array_agg('%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' ORDER BY length(word) DESC)
    FROM regexp_split_to_table(frontdesk_fold(trim(term)), '\s+') AS word
$$;
CREATE OR REPLACE FUNCTION conversations_saying(term text) RETURNS bigint[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan
SET max_parallel_workers_per_gather = 0
AS $$
DECLARE
    own int := nullif(current_setting('app.org', true), '')::int;
    patterns text[] := search_patterns(term);
    longest text := patterns[1];
    second text := coalesce(patterns[2], patterns[1]);
    most int := 50000;
    ids bigint[];
BEGIN
    IF (SELECT count(*) > 10 FROM (
            SELECT search_text FROM conversation_messages WHERE organization_id = own ORDER BY id DESC LIMIT 2000
        ) newest WHERE search_text LIKE ALL (patterns)) THEN
        RETURN NULL;
    END IF;
    SELECT array_agg(conversation_id) INTO ids FROM (
        SELECT conversation_id FROM conversation_messages
        WHERE organization_id = own AND deleted_at IS NULL
            AND search_text LIKE longest AND search_text LIKE second AND search_text LIKE ALL (patterns)
        LIMIT most + 1
    ) said;
    IF array_length(ids, 1) > most THEN
        RETURN NULL;
    END IF;
    RETURN ARRAY(SELECT DISTINCT unnest(ids));
END
$$;
-- The same for contacts, by name, e-mail and phone.
CREATE OR REPLACE FUNCTION contacts_matching(term text) RETURNS bigint[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan
SET max_parallel_workers_per_gather = 0
AS $$
DECLARE
    own int := nullif(current_setting('app.org', true), '')::int;
    patterns text[] := search_patterns(term);
    longest text := patterns[1];
    second text := coalesce(patterns[2], patterns[1]);
    most int := 6000;
    ids bigint[];
BEGIN
    IF (SELECT count(*) > 50 FROM (
            SELECT search_text FROM contacts WHERE organization_id = own ORDER BY id DESC LIMIT 1000
        ) newest WHERE search_text LIKE ALL (patterns)) THEN
        RETURN NULL;
    END IF;
    ids := ARRAY(
        SELECT id FROM contacts
        WHERE organization_id = own AND deleted_at IS NULL
            AND search_text LIKE longest AND search_text LIKE second AND search_text LIKE ALL (patterns)
        LIMIT most + 1
    );
    RETURN CASE WHEN array_length(ids, 1) > most THEN NULL ELSE ids END;
END
$$;
ALTER FUNCTION contacts_matching(text) OWNER TO frontdesk_system;
REVOKE ALL ON FUNCTION contacts_matching(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION contacts_matching(text) TO frontdesk_app, frontdesk_system;
ALTER FUNCTION conversations_saying(text) OWNER TO frontdesk_system;
REVOKE ALL ON FUNCTION conversations_saying(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION conversations_saying(text) TO frontdesk_app, frontdesk_system;
REVOKE CREATE ON SCHEMA public FROM frontdesk_system;
-- Messages come all the time, and each search reads what is not in the index yet: a short list of those.
ALTER INDEX ix_conversation_messages_search_text SET (gin_pending_list_limit = 256);
-- Who waits for an answer is stored from now on.
SET LOCAL ROLE frontdesk_system;
UPDATE conversations c SET waiting_since = m.created_at FROM conversation_messages m
WHERE m.organization_id = c.organization_id AND m.conversation_id = c.id AND m.position = c.last_position
    AND m.direction = 'inbound' AND c.status = 'open';
RESET ROLE;
-- The kinds of activity that an organization begins with (starting_rows.py), for those that are there already.
SET LOCAL ROLE frontdesk_system;
INSERT INTO activity_types (organization_id, name, key, color, icon_key, created_at, updated_at)
SELECT o.id, kind.name, kind.key, kind.color, kind.icon_key, now(), now()
FROM organizations o, (VALUES
    ('Call', 'call', '#10B981', 'phone'), ('Email', 'email', '#3B82F6', 'mail'),
    ('Meeting', 'meeting', '#F59E0B', 'users'), ('Task', 'task', '#8B5CF6', 'square-check')
) AS kind (name, key, color, icon_key);
RESET ROLE;

-- Stock is never negative, and only a variant has a parent. Rows from before are put right first.
SET LOCAL ROLE frontdesk_system;
UPDATE products SET stock_quantity = 0 WHERE stock_quantity < 0;
UPDATE products SET is_variant = true WHERE parent_id IS NOT NULL AND is_variant IS NOT TRUE;
RESET ROLE;
ALTER TABLE products ADD CONSTRAINT ck_products_stock_quantity_from_zero CHECK (stock_quantity >= 0);
ALTER TABLE products ADD CONSTRAINT ck_products_parent_of_variant CHECK (parent_id IS NULL OR is_variant IS TRUE);

-- What the operator may write as an organization's own rate limit.
ALTER TABLE organizations ADD CONSTRAINT ck_organizations_rate_limit CHECK (rate_limit ~ '^(0|[1-9]\d{0,8}/[1-9]\d{0,6})$');

-- A note is on one thing; until now that was always a contact.
ALTER TABLE notes ADD CONSTRAINT ck_notes_has_one_target CHECK (num_nonnulls(contact_id, deal_id, company_id) = 1);

-- The search for tickets by their subject: as a function of the system role, because a trigram index is not used under a
-- policy. It filters by the organization itself.
GRANT CREATE ON SCHEMA public TO frontdesk_system;
CREATE OR REPLACE FUNCTION tickets_about(term text) RETURNS SETOF bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
    SELECT id FROM conversations
    WHERE organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int AND kind = 'ticket'
        AND frontdesk_fold(subject) LIKE (SELECT (search_patterns(term))[1])
        AND frontdesk_fold(subject) LIKE ALL (search_patterns(term))
    ORDER BY id DESC LIMIT 10000
$$;
ALTER FUNCTION tickets_about(text) OWNER TO frontdesk_system;
REVOKE ALL ON FUNCTION tickets_about(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tickets_about(text) TO frontdesk_app, frontdesk_system;
REVOKE CREATE ON SCHEMA public FROM frontdesk_system;
-- What every ticket has, although conversations leave these columns empty.
ALTER TABLE conversations ADD CONSTRAINT ck_conversations_ticket_is_whole CHECK (
    kind <> 'ticket' OR num_nulls(reference_number, subject, priority, tags) = 0
);

-- Assistants of before have no API tools, which reads like those of today.
SET LOCAL ROLE frontdesk_system;
UPDATE ai_assistants SET api_tools = '[]' WHERE api_tools IS NULL;
RESET ROLE;

-- An entry of the history never changes; its version is that of the assistant, which begins with 1.
ALTER TABLE ai_assistant_versions ALTER COLUMN version SET DEFAULT 1;
SET LOCAL ROLE frontdesk_system;
UPDATE ai_assistant_versions SET updated_at = created_at;
RESET ROLE;
