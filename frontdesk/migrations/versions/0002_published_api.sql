DROP TABLE rate_counters;

DROP INDEX ix_webchat_visitors_conversation_id;

DROP INDEX ix_webchat_visitors_inbox_channel_id;

DROP INDEX uq_webchat_visitors_token_hash;

DROP TABLE webchat_visitors;

DROP TABLE heartbeats;

GRANT CREATE ON SCHEMA public TO frontdesk_system;

   CREATE OR REPLACE FUNCTION search_ai_models(term text) RETURNS SETOF bigint
   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
   AS $$
   SELECT id FROM public."ai_models"
   WHERE (organization_id IS NULL OR organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int)
     AND search_text LIKE (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word ORDER BY length(word) DESC LIMIT 1)
     AND search_text LIKE ALL (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word)
   LIMIT 10000
$$;

ALTER FUNCTION search_ai_models(text) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION search_ai_models(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION search_ai_models(text) TO frontdesk_app, frontdesk_system;

   CREATE OR REPLACE FUNCTION search_contacts(term text) RETURNS SETOF bigint
   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
   AS $$
   SELECT id FROM public."contacts"
   WHERE organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int
     AND search_text LIKE (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word ORDER BY length(word) DESC LIMIT 1)
     AND search_text LIKE ALL (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word)
   LIMIT 10000
$$;

ALTER FUNCTION search_contacts(text) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION search_contacts(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION search_contacts(text) TO frontdesk_app, frontdesk_system;

   CREATE OR REPLACE FUNCTION search_notes(term text) RETURNS SETOF bigint
   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
   AS $$
   SELECT id FROM public."notes"
   WHERE organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int
     AND search_text LIKE (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word ORDER BY length(word) DESC LIMIT 1)
     AND search_text LIKE ALL (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word)
   LIMIT 10000
$$;

ALTER FUNCTION search_notes(text) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION search_notes(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION search_notes(text) TO frontdesk_app, frontdesk_system;

   CREATE OR REPLACE FUNCTION search_products(term text) RETURNS SETOF bigint
   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
   AS $$
   SELECT id FROM public."products"
   WHERE organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int
     AND search_text LIKE (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word ORDER BY length(word) DESC LIMIT 1)
     AND search_text LIKE ALL (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word)
   LIMIT 10000
$$;

ALTER FUNCTION search_products(text) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION search_products(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION search_products(text) TO frontdesk_app, frontdesk_system;

   CREATE OR REPLACE FUNCTION search_ai_assistants(term text) RETURNS SETOF bigint
   LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
   AS $$
   SELECT id FROM public."ai_assistants"
   WHERE organization_id = (SELECT nullif(current_setting('app.org', true), ''))::int
     AND search_text LIKE (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word ORDER BY length(word) DESC LIMIT 1)
     AND search_text LIKE ALL (SELECT '%' || regexp_replace(word, '([%_\\])', '\\\1', 'g') || '%' FROM regexp_split_to_table(public.frontdesk_fold(trim(term)), '\s+') AS word)
   LIMIT 10000
$$;

ALTER FUNCTION search_ai_assistants(text) OWNER TO frontdesk_system;

REVOKE ALL ON FUNCTION search_ai_assistants(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION search_ai_assistants(text) TO frontdesk_app, frontdesk_system;

REVOKE CREATE ON SCHEMA public FROM frontdesk_system;

GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO frontdesk_app, frontdesk_system;
