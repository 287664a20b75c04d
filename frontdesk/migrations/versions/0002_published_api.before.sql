-- Until now a contact's company could be any number; there were no companies that it could name.
SET LOCAL ROLE frontdesk_system;
UPDATE contacts SET company_id = NULL WHERE company_id IS NOT NULL;
RESET ROLE;

