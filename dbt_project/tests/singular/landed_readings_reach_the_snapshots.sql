-- What: per account and post, the snapshots from the API are as many as the distinct landed slots of accounts that were
--       not merged away, and each of their counters adds up to the same; a reading that a later, archived one of its
--       slot replaces does not count.
-- Why:  a join that drops or doubles rows between landing and mart shows here.
-- Rows: account, post and what differs, the number of snapshots or a counter: found in the mart, expected as landed.
with

-- Ids are text here, as they landed.
readings as (

    select
        account_id,
        post_id,
        slot_start,
        collected_at,
        {%- for counter in counters() %}
        {{ counter }},
        {%- endfor %}
        is_archived
    from {{ ref('int_readings') }}
    where {{ of_touched_posts('post_id', is_landed=true) }}

),

landed_sums as (

    select
        account_id,
        post_id,
        count(*) as snapshots,
        {%- for counter in counters() %}
        sum({{ counter }}) as {{ counter }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from readings
    where not is_archived
    group by account_id, post_id

),

marted as (

    select
        cast(account_id as string) as account_id,
        cast(post_id as string) as post_id,
        count(*) as snapshots,
        {%- for counter in counters() %}
        sum({{ counter }}) as {{ counter }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ ref('analytics_snapshots') }}
    where
        source = 'api'
        and not is_archived
        and {{ of_touched_posts('post_id') }}
    group by account_id, post_id

),

-- Few posts have more readings than slots, archived ones, or an account that was merged away: only theirs are
-- asked which of a slot is the newest. A snapshot too many cannot hide among the others: a slot twice is an id
-- twice.
differing_posts as (

    select post_id from readings
    where is_archived
    union distinct
    select landed_sums.post_id
    from landed_sums
    inner join {{ ref('stg_control__accounts') }} as accounts
        on
            landed_sums.account_id = cast(accounts.account_id as string)
            and accounts.merged_into is not null
    union distinct
    select coalesce(landed_sums.post_id, marted.post_id) as post_id
    from landed_sums
    full outer join marted
        on
            landed_sums.account_id = marted.account_id
            and landed_sums.post_id = marted.post_id
    where
        landed_sums.snapshots is distinct from marted.snapshots
        {%- for counter in counters() %}
        or landed_sums.{{ counter }} is distinct from marted.{{ counter }}
        {%- endfor %}

),

newest as (

    select
        readings.post_id,
        readings.slot_start,
        max(readings.collected_at) as collected_at
    from readings
    inner join differing_posts on readings.post_id = differing_posts.post_id
    group by readings.post_id, readings.slot_start

),

landed as (

    select
        readings.account_id,
        readings.post_id,
        count(*) as snapshots,
        {%- for counter in counters() %}
        sum(readings.{{ counter }}) as {{ counter }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from readings
    inner join newest
        on
            readings.post_id = newest.post_id
            and readings.slot_start = newest.slot_start
            and readings.collected_at = newest.collected_at
    inner join {{ ref('stg_control__accounts') }} as accounts
        on
            readings.account_id = cast(accounts.account_id as string)
            and accounts.merged_into is null
    where not readings.is_archived
    group by readings.account_id, readings.post_id

),

marted_differing as (

    select marted.*
    from marted
    inner join differing_posts on marted.post_id = differing_posts.post_id

),

compared as (

    select
        coalesce(landed.account_id, marted.account_id) as account_id,
        coalesce(landed.post_id, marted.post_id) as post_id,
        marted.snapshots as found_snapshots,
        landed.snapshots as expected_snapshots,
        {%- for counter in counters() %}
        marted.{{ counter }} as found_{{ counter }},
        landed.{{ counter }} as expected_{{ counter }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from landed
    full outer join marted_differing as marted
        on
            landed.account_id = marted.account_id
            and landed.post_id = marted.post_id

),

final as (

    {{ each_difference('compared', ['account_id', 'post_id'], ['snapshots'] + counters()) }}

)

select * from final
