
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
