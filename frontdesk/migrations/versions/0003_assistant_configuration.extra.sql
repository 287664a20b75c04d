-- Assistants from before there were these fields. Roles are set because the tables' policies bind their owner.
SET LOCAL ROLE frontdesk_system;
UPDATE ai_assistants SET analyze_images = false, can_send_images = false;
RESET ROLE;
