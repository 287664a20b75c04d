-- Assistants from before there were these fields. Roles are set because the tables' policies bind their owner.
SET LOCAL ROLE frontdesk_system;
UPDATE ai_assistants SET analyze_images = false, can_send_images = false;
UPDATE ai_assistants SET access_permissions_automations = '[]', external_handoff_targets = '{"targets": []}',
    additional_json_keys = '[]', mcp_tools = coalesce(mcp_tools, '[]'),
    follow_up_config = $${"enabled": false, "max_per_conversation": 3, "stop_on": ["reply", "close", "human", "opt_out"],
        "rules": []}$$;
RESET ROLE;

-- A chat of the team has no contact; everything else in this table has one.
ALTER TABLE conversations ADD CONSTRAINT ck_conversations_has_contact CHECK (
    kind = 'ai-chat' OR contact_id IS NOT NULL
);

-- Whoever joins is there until they say otherwise, by whatever statement they join.
ALTER TABLE members ALTER COLUMN is_available SET DEFAULT true;
SET LOCAL ROLE frontdesk_system;
UPDATE ai_assistants SET
    human_handoff_config = $${"enabled": false, "rules": [], "target": {"type": "queue", "user_ids": [], "team_id": null,
        "strategy": "fixed"}, "customer_message": null, "silent": false, "out_of_schedule_message": null,
        "summary": true, "return": {"mode": "manual", "after_minutes": null}}$$,
    ai_assistant_handoff_config = $${"enabled": false, "max_hops": 2, "targets": []}$$;
RESET ROLE;
