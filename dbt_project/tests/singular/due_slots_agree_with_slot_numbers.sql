-- What: per account, the due slots of quarter_hour_metrics are as many as the slot numbers of its posts span, and
--       the filled ones as many as the API snapshots in those spans.
-- Why:  due slots are found by running sums; counting by slot numbers is another way to the same.
-- Rows: the account and which of the two differs, as found in the mart and as expected.
with

spans as (

    select
        account_id,
        sum(
            {{ slot_index('last_due_slot', 'published_at') }}
            - {{ slot_index('first_due_slot', 'published_at') }} + 1
        ) as due_slots
    from {{ ref('int_posts') }}
    where first_due_slot is not null
    group by account_id

),

readings as (

    select
        snapshots.account_id,
        count(*) as filled_slots
    from {{ ref('post_increments') }} as snapshots
    inner join {{ ref('int_posts') }} as posts
        on
            snapshots.post_id = posts.post_id
            and snapshots.slot_start >= posts.first_due_slot
            and snapshots.slot_start <= posts.last_due_slot
    where snapshots.source = 'api'
    group by snapshots.account_id

),

metrics as (

    select
        account_id,
        sum(due_slots) as due_slots,
        sum(filled_slots) as filled_slots
    from {{ ref('quarter_hour_metrics') }}
    group by account_id

),

compared as (

    select
        metrics.account_id,
        metrics.due_slots as found_due_slots,
        coalesce(spans.due_slots, 0) as expected_due_slots,
        metrics.filled_slots as found_filled_slots,
        coalesce(readings.filled_slots, 0) as expected_filled_slots
    from metrics
    left join spans on metrics.account_id = spans.account_id
    left join readings on metrics.account_id = readings.account_id

),

final as (

    {{ each_difference('compared', ['account_id'], ['due_slots', 'filled_slots']) }}

)

select * from final
