-- Question: Who reads the e-newsletter, and does anybody get it who asked not to?
-- Look at: opens by mail programs are apart; late_sends_after_unsubscribe must be 0, or the issue's list was not cleaned in time.
-- Columns: month, newsletter_code, delivered, opened, opened_share, machine_opened, clicked_share, unsubscribed, late_sends_after_unsubscribe
select period as month, newsletter_code, delivered, opened, opened_share, machine_opened, clicked_share, unsubscribed,
    late_sends_after_unsubscribe
from marts.kpi_engagement_newsletter
where period_basis = 'month' and newsletter_code <> 'all'
order by period, newsletter_code;
