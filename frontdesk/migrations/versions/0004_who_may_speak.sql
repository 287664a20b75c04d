ALTER TABLE ai_approvals ADD COLUMN tool_version TEXT;

CREATE INDEX ix_ai_decisions_assistant ON ai_decisions (organization_id, ai_assistant_id, id);

CREATE INDEX ix_ai_decisions_created ON ai_decisions (organization_id, created_at, id);

CREATE INDEX ix_ai_decisions_gate ON ai_decisions (organization_id, gate, id) WHERE gate IS NOT NULL;

CREATE INDEX ix_ai_decisions_outcome ON ai_decisions (organization_id, outcome, id);

CREATE INDEX ix_ai_decisions_reason ON ai_decisions (organization_id, reason, id);

ALTER TABLE ai_follow_ups ADD COLUMN would_change_es TEXT;

GRANT CREATE ON SCHEMA public TO frontdesk_system;

DROP FUNCTION IF EXISTS search_activities(text);

   CREATE OR REPLACE FUNCTION search_activities(term text, most integer DEFAULT 10001,
       with_deleted boolean DEFAULT false) RETURNS SETOF bigint
   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
   AS $$
   SELECT t.id FROM public."activities" t
   WHERE t.organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int AND (with_deleted OR t.deleted_at IS NULL)
     AND t.search_text LIKE (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word ORDER BY length(word) DESC LIMIT 1)
     AND t.search_text LIKE ALL (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word)
   LIMIT most
$$;

ALTER FUNCTION search_activities(text, integer, boolean) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION search_activities(text, integer, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION search_activities(text, integer, boolean) TO frontdesk_app, frontdesk_system;

   CREATE OR REPLACE FUNCTION with_custom_activities(wanted jsonb) RETURNS SETOF bigint
   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
   AS $$
   SELECT id FROM public."activities"
   WHERE organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int AND custom_fields <> '{}'::jsonb AND custom_fields @> wanted
   LIMIT 1001
$$;

ALTER FUNCTION with_custom_activities(jsonb) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION with_custom_activities(jsonb) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION with_custom_activities(jsonb) TO frontdesk_app, frontdesk_system;

DROP FUNCTION IF EXISTS search_activity_types(text);

   CREATE OR REPLACE FUNCTION search_activity_types(term text, most integer DEFAULT 10001,
       with_deleted boolean DEFAULT false) RETURNS SETOF bigint
   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
   AS $$
   SELECT t.id FROM public."activity_types" t
   WHERE t.organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int AND (with_deleted OR t.deleted_at IS NULL)
     AND t.search_text LIKE (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word ORDER BY length(word) DESC LIMIT 1)
     AND t.search_text LIKE ALL (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word)
   LIMIT most
$$;

ALTER FUNCTION search_activity_types(text, integer, boolean) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION search_activity_types(text, integer, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION search_activity_types(text, integer, boolean) TO frontdesk_app, frontdesk_system;

DROP FUNCTION IF EXISTS search_ai_models(text);

   CREATE OR REPLACE FUNCTION search_ai_models(term text, most integer DEFAULT 10001,
       with_deleted boolean DEFAULT false) RETURNS SETOF bigint
   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
   AS $$
   SELECT t.id FROM public."ai_models" t
   WHERE (t.organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int OR t.organization_id IS NULL) AND (with_deleted OR t.deleted_at IS NULL)
     AND t.search_text LIKE (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word ORDER BY length(word) DESC LIMIT 1)
     AND t.search_text LIKE ALL (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word)
   LIMIT most
$$;

ALTER FUNCTION search_ai_models(text, integer, boolean) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION search_ai_models(text, integer, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION search_ai_models(text, integer, boolean) TO frontdesk_app, frontdesk_system;

DROP FUNCTION IF EXISTS search_api_tools(text);

   CREATE OR REPLACE FUNCTION search_api_tools(term text, most integer DEFAULT 10001,
       with_deleted boolean DEFAULT false) RETURNS SETOF bigint
   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
   AS $$
   SELECT t.id FROM public."api_tools" t
   WHERE t.organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int AND (with_deleted OR t.deleted_at IS NULL)
     AND t.search_text LIKE (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word ORDER BY length(word) DESC LIMIT 1)
     AND t.search_text LIKE ALL (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word)
   LIMIT most
$$;

ALTER FUNCTION search_api_tools(text, integer, boolean) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION search_api_tools(text, integer, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION search_api_tools(text, integer, boolean) TO frontdesk_app, frontdesk_system;

DROP FUNCTION IF EXISTS search_companies(text);

   CREATE OR REPLACE FUNCTION search_companies(term text, most integer DEFAULT 10001,
       with_deleted boolean DEFAULT false) RETURNS SETOF bigint
   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
   AS $$
   SELECT t.id FROM public."companies" t
   WHERE t.organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int AND (with_deleted OR t.deleted_at IS NULL)
     AND t.search_text LIKE (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word ORDER BY length(word) DESC LIMIT 1)
     AND t.search_text LIKE ALL (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word)
   LIMIT most
$$;

ALTER FUNCTION search_companies(text, integer, boolean) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION search_companies(text, integer, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION search_companies(text, integer, boolean) TO frontdesk_app, frontdesk_system;

   CREATE OR REPLACE FUNCTION with_custom_companies(wanted jsonb) RETURNS SETOF bigint
   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
   AS $$
   SELECT id FROM public."companies"
   WHERE organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int AND custom_fields <> '{}'::jsonb AND custom_fields @> wanted
   LIMIT 1001
$$;

ALTER FUNCTION with_custom_companies(jsonb) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION with_custom_companies(jsonb) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION with_custom_companies(jsonb) TO frontdesk_app, frontdesk_system;

DROP FUNCTION IF EXISTS search_contacts(text);

   CREATE OR REPLACE FUNCTION search_contacts(term text, most integer DEFAULT 10001,
       with_deleted boolean DEFAULT false) RETURNS SETOF bigint
   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
   AS $$
   SELECT t.id FROM public."contacts" t
   WHERE t.organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int AND (with_deleted OR t.deleted_at IS NULL)
     AND t.search_text LIKE (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word ORDER BY length(word) DESC LIMIT 1)
     AND t.search_text LIKE ALL (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word)
   LIMIT most
$$;

ALTER FUNCTION search_contacts(text, integer, boolean) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION search_contacts(text, integer, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION search_contacts(text, integer, boolean) TO frontdesk_app, frontdesk_system;

   CREATE OR REPLACE FUNCTION with_custom_contacts(wanted jsonb) RETURNS SETOF bigint
   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
   AS $$
   SELECT id FROM public."contacts"
   WHERE organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int AND custom_fields <> '{}'::jsonb AND custom_fields @> wanted
   LIMIT 1001
$$;

ALTER FUNCTION with_custom_contacts(jsonb) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION with_custom_contacts(jsonb) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION with_custom_contacts(jsonb) TO frontdesk_app, frontdesk_system;

DROP FUNCTION IF EXISTS search_conversation_messages(text);

   CREATE OR REPLACE FUNCTION search_conversation_messages(term text, most integer DEFAULT 10001,
       with_deleted boolean DEFAULT false) RETURNS SETOF bigint
   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
   AS $$
   SELECT t.id FROM public."conversation_messages" t
   WHERE t.organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int AND (with_deleted OR t.deleted_at IS NULL)
     AND t.search_text LIKE (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word ORDER BY length(word) DESC LIMIT 1)
     AND t.search_text LIKE ALL (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word)
   LIMIT most
$$;

ALTER FUNCTION search_conversation_messages(text, integer, boolean) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION search_conversation_messages(text, integer, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION search_conversation_messages(text, integer, boolean) TO frontdesk_app, frontdesk_system;

DROP FUNCTION IF EXISTS search_conversation_predefined_messages(text);

   CREATE OR REPLACE FUNCTION search_conversation_predefined_messages(term text, most integer DEFAULT 10001,
       with_deleted boolean DEFAULT false) RETURNS SETOF bigint
   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
   AS $$
   SELECT t.id FROM public."conversation_predefined_messages" t
   WHERE t.organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int AND (with_deleted OR t.deleted_at IS NULL)
     AND t.search_text LIKE (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word ORDER BY length(word) DESC LIMIT 1)
     AND t.search_text LIKE ALL (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word)
   LIMIT most
$$;

ALTER FUNCTION search_conversation_predefined_messages(text, integer, boolean) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION search_conversation_predefined_messages(text, integer, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION search_conversation_predefined_messages(text, integer, boolean) TO frontdesk_app, frontdesk_system;

   CREATE OR REPLACE FUNCTION with_custom_conversations(wanted jsonb) RETURNS SETOF bigint
   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
   AS $$
   SELECT id FROM public."conversations"
   WHERE organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int AND custom_fields <> '{}'::jsonb AND custom_fields @> wanted
   LIMIT 1001
$$;

ALTER FUNCTION with_custom_conversations(jsonb) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION with_custom_conversations(jsonb) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION with_custom_conversations(jsonb) TO frontdesk_app, frontdesk_system;

DROP FUNCTION IF EXISTS search_deals(text);

   CREATE OR REPLACE FUNCTION search_deals(term text, most integer DEFAULT 10001,
       with_deleted boolean DEFAULT false) RETURNS SETOF bigint
   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
   AS $$
   SELECT t.id FROM public."deals" t
   WHERE t.organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int AND (with_deleted OR t.deleted_at IS NULL)
     AND t.search_text LIKE (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word ORDER BY length(word) DESC LIMIT 1)
     AND t.search_text LIKE ALL (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word)
   LIMIT most
$$;

ALTER FUNCTION search_deals(text, integer, boolean) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION search_deals(text, integer, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION search_deals(text, integer, boolean) TO frontdesk_app, frontdesk_system;

   CREATE OR REPLACE FUNCTION with_custom_deals(wanted jsonb) RETURNS SETOF bigint
   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
   AS $$
   SELECT id FROM public."deals"
   WHERE organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int AND custom_fields <> '{}'::jsonb AND custom_fields @> wanted
   LIMIT 1001
$$;

ALTER FUNCTION with_custom_deals(jsonb) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION with_custom_deals(jsonb) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION with_custom_deals(jsonb) TO frontdesk_app, frontdesk_system;

DROP FUNCTION IF EXISTS search_email_broadcast_senders(text);

   CREATE OR REPLACE FUNCTION search_email_broadcast_senders(term text, most integer DEFAULT 10001,
       with_deleted boolean DEFAULT false) RETURNS SETOF bigint
   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
   AS $$
   SELECT t.id FROM public."email_broadcast_senders" t
   WHERE t.organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int AND (with_deleted OR t.deleted_at IS NULL)
     AND t.search_text LIKE (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word ORDER BY length(word) DESC LIMIT 1)
     AND t.search_text LIKE ALL (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word)
   LIMIT most
$$;

ALTER FUNCTION search_email_broadcast_senders(text, integer, boolean) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION search_email_broadcast_senders(text, integer, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION search_email_broadcast_senders(text, integer, boolean) TO frontdesk_app, frontdesk_system;

DROP FUNCTION IF EXISTS search_email_broadcasts(text);

   CREATE OR REPLACE FUNCTION search_email_broadcasts(term text, most integer DEFAULT 10001,
       with_deleted boolean DEFAULT false) RETURNS SETOF bigint
   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
   AS $$
   SELECT t.id FROM public."email_broadcasts" t
   WHERE t.organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int AND (with_deleted OR t.deleted_at IS NULL)
     AND t.search_text LIKE (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word ORDER BY length(word) DESC LIMIT 1)
     AND t.search_text LIKE ALL (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word)
   LIMIT most
$$;

ALTER FUNCTION search_email_broadcasts(text, integer, boolean) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION search_email_broadcasts(text, integer, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION search_email_broadcasts(text, integer, boolean) TO frontdesk_app, frontdesk_system;

DROP FUNCTION IF EXISTS search_notes(text);

   CREATE OR REPLACE FUNCTION search_notes(term text, most integer DEFAULT 10001,
       with_deleted boolean DEFAULT false) RETURNS SETOF bigint
   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
   AS $$
   SELECT t.id FROM public."notes" t
   WHERE t.organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int AND (with_deleted OR t.deleted_at IS NULL)
     AND t.search_text LIKE (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word ORDER BY length(word) DESC LIMIT 1)
     AND t.search_text LIKE ALL (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word)
   LIMIT most
$$;

ALTER FUNCTION search_notes(text, integer, boolean) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION search_notes(text, integer, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION search_notes(text, integer, boolean) TO frontdesk_app, frontdesk_system;

DROP FUNCTION IF EXISTS search_product_categories(text);

   CREATE OR REPLACE FUNCTION search_product_categories(term text, most integer DEFAULT 10001,
       with_deleted boolean DEFAULT false) RETURNS SETOF bigint
   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
   AS $$
   SELECT t.id FROM public."product_categories" t
   WHERE t.organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int AND (with_deleted OR t.deleted_at IS NULL)
     AND t.search_text LIKE (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word ORDER BY length(word) DESC LIMIT 1)
     AND t.search_text LIKE ALL (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word)
   LIMIT most
$$;

ALTER FUNCTION search_product_categories(text, integer, boolean) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION search_product_categories(text, integer, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION search_product_categories(text, integer, boolean) TO frontdesk_app, frontdesk_system;

DROP FUNCTION IF EXISTS search_products(text);

        CREATE OR REPLACE FUNCTION search_products(term text, most integer DEFAULT 10001,
            with_deleted boolean DEFAULT false) RETURNS SETOF bigint
        LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SECURITY DEFINER SET search_path = public, pg_temp
        AS $$
DECLARE
    folded_term text := frontdesk_fold(trim(term));
    word_patterns text[] := (SELECT array_agg('%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' ORDER BY length(word) DESC) FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word);
    wanted_words tsquery := plainto_tsquery('simple', folded_term);
    least_alike text;
BEGIN
    RETURN QUERY SELECT f.id FROM ((
        SELECT t.id, ts_rank(t.search_words, wanted_words) AS rank FROM public."products" t
        WHERE t.organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int AND (with_deleted OR t.deleted_at IS NULL) AND t.search_words @@ wanted_words LIMIT most
    ) UNION ALL (
        SELECT t.id, 0 AS rank FROM public."products" t
        WHERE t.organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int AND (with_deleted OR t.deleted_at IS NULL) AND t.search_text LIKE word_patterns[1] AND t.search_text LIKE ALL (word_patterns)
          AND NOT t.search_words @@ wanted_words LIMIT most
    )) f
        ORDER BY f.rank DESC, f.id LIMIT most;
    IF FOUND OR length(folded_term) < 3 THEN
        RETURN;
    END IF;
    FOREACH least_alike IN ARRAY '{0.5, 0.3}'::text[] LOOP
        -- Not a SET of the function: to store one for an extension that is not loaded yet takes a superuser.
        PERFORM set_config('pg_trgm.strict_word_similarity_threshold', least_alike, true);
        RETURN QUERY
        SELECT a.id FROM (
            SELECT t.id, strict_word_similarity(folded_term, t.search_names) AS alike,
                max(strict_word_similarity(folded_term, t.search_names)) OVER () AS best
            FROM public."products" t
            WHERE t.organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int AND (with_deleted OR t.deleted_at IS NULL) AND folded_term OPERATOR(public.<<%) t.search_names
        ) a WHERE a.alike >= 0.75 * a.best ORDER BY a.alike DESC, a.id LIMIT most
    ;
        EXIT WHEN FOUND;
    END LOOP;
END
 $$
    ;

ALTER FUNCTION search_products(text, integer, boolean) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION search_products(text, integer, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION search_products(text, integer, boolean) TO frontdesk_app, frontdesk_system;

   CREATE OR REPLACE FUNCTION with_custom_products(wanted jsonb) RETURNS SETOF bigint
   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
   AS $$
   SELECT id FROM public."products"
   WHERE organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int AND custom_fields <> '{}'::jsonb AND custom_fields @> wanted
   LIMIT 1001
$$;

ALTER FUNCTION with_custom_products(jsonb) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION with_custom_products(jsonb) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION with_custom_products(jsonb) TO frontdesk_app, frontdesk_system;

DROP FUNCTION IF EXISTS search_tags(text);

   CREATE OR REPLACE FUNCTION search_tags(term text, most integer DEFAULT 10001,
       with_deleted boolean DEFAULT false) RETURNS SETOF bigint
   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
   AS $$
   SELECT t.id FROM public."tags" t
   WHERE t.organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int AND (with_deleted OR t.deleted_at IS NULL)
     AND t.search_text LIKE (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word ORDER BY length(word) DESC LIMIT 1)
     AND t.search_text LIKE ALL (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word)
   LIMIT most
$$;

ALTER FUNCTION search_tags(text, integer, boolean) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION search_tags(text, integer, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION search_tags(text, integer, boolean) TO frontdesk_app, frontdesk_system;

DROP FUNCTION IF EXISTS search_teams(text);

   CREATE OR REPLACE FUNCTION search_teams(term text, most integer DEFAULT 10001,
       with_deleted boolean DEFAULT false) RETURNS SETOF bigint
   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
   AS $$
   SELECT t.id FROM public."teams" t
   WHERE t.organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int AND (with_deleted OR t.deleted_at IS NULL)
     AND t.search_text LIKE (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word ORDER BY length(word) DESC LIMIT 1)
     AND t.search_text LIKE ALL (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word)
   LIMIT most
$$;

ALTER FUNCTION search_teams(text, integer, boolean) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION search_teams(text, integer, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION search_teams(text, integer, boolean) TO frontdesk_app, frontdesk_system;

DROP FUNCTION IF EXISTS search_whatsapp_templates(text);

   CREATE OR REPLACE FUNCTION search_whatsapp_templates(term text, most integer DEFAULT 10001,
       with_deleted boolean DEFAULT false) RETURNS SETOF bigint
   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
   AS $$
   SELECT t.id FROM public."whatsapp_templates" t
   WHERE t.organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int AND (with_deleted OR t.deleted_at IS NULL)
     AND t.search_text LIKE (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word ORDER BY length(word) DESC LIMIT 1)
     AND t.search_text LIKE ALL (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word)
   LIMIT most
$$;

ALTER FUNCTION search_whatsapp_templates(text, integer, boolean) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION search_whatsapp_templates(text, integer, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION search_whatsapp_templates(text, integer, boolean) TO frontdesk_app, frontdesk_system;

DROP FUNCTION IF EXISTS search_ai_assistants(text);

   CREATE OR REPLACE FUNCTION search_ai_assistants(term text, most integer DEFAULT 10001,
       with_deleted boolean DEFAULT false) RETURNS SETOF bigint
   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
   AS $$
   SELECT t.id FROM public."ai_assistants" t
   WHERE t.organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int AND (with_deleted OR t.deleted_at IS NULL)
     AND t.search_text LIKE (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word ORDER BY length(word) DESC LIMIT 1)
     AND t.search_text LIKE ALL (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word)
   LIMIT most
$$;

ALTER FUNCTION search_ai_assistants(text, integer, boolean) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION search_ai_assistants(text, integer, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION search_ai_assistants(text, integer, boolean) TO frontdesk_app, frontdesk_system;

REVOKE CREATE ON SCHEMA public FROM frontdesk_system;

GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO frontdesk_app, frontdesk_system;
