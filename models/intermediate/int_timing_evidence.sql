{{ config(materialized='incremental', pre_hook="{{ delete_changed_evidence() }}") }}

with

-- What the best hour of each account stands against the account's mean.
best_hours as (

    select
        accounts.account_id,
        accounts.timezone,
        accounts.measure,
        accounts.n,
        accounts.mean,
        accounts.deviation,
        accounts.fingerprint,
        max({{ standard_errors('cells.total / cast(cells.n as double)', 'cells.n', 'accounts') }}) as z
    from {{ ref('int_timing_accounts') }} as accounts
    inner join {{ ref('int_timing_cells') }} as cells
        on
            accounts.account_id = cells.account_id
            and accounts.timezone = cells.timezone
            and accounts.measure = cells.measure
    where
        {{ is_enough_posts('cells', 'accounts') }}
        and cells.n < accounts.n
        and accounts.deviation is not null
    group by
        accounts.account_id,
        accounts.timezone,
        accounts.measure,
        accounts.n,
        accounts.mean,
        accounts.deviation,
        accounts.fingerprint

),

tops as (

    select best_hours.*
    from best_hours
    {% if is_incremental() %}
    left join {{ this }} as known
        on
            best_hours.account_id = known.account_id
            and best_hours.timezone = known.timezone
            and best_hours.measure = known.measure
    where known.account_id is null
    {% endif %}

),

dealt_accounts as (

    select distinct account_id
    from tops

),

distinct_units as (

    select distinct
        posts.account_id,
        posts.place,
        posts.unit_impressions,
        posts.unit_engagement_score
    from {{ ref('int_timing_posts') }} as posts
    inner join dealt_accounts on posts.account_id = dealt_accounts.account_id

),

-- Posts of all accounts stand in one row of seats, which whole numbers name.
units as (

    select
        *,
        count(*) over (partition by account_id) as posts,
        row_number() over (order by account_id, place) - place as seats_before
    from distinct_units

),

-- Where the posts are dealt to: the seats in the cells with three posts or more.
seats as (

    select
        posts.account_id,
        posts.timezone,
        units.seats_before + posts.place as seat,
        count(*) over (
            partition by posts.account_id, posts.timezone, posts.weekday, posts.hour
        ) as n,
        dense_rank() over (
            order by posts.account_id, posts.timezone, posts.weekday, posts.hour
        ) as cell
    from {{ ref('int_timing_posts') }} as posts
    inner join units
        on
            posts.account_id = units.account_id
            and posts.place = units.place

),

cells as (

    select distinct
        account_id,
        timezone,
        cell,
        n
    from seats
    where n >= 3

),
{% for round, first, last, most in timing_rounds() %}{% set before = loop.previtem[0] if loop.previtem else none %}
-- One measure is not dealt longer because the other is: each has what it would have alone.
{{ round }}_tops as (

    select tops.*
    from tops
    {% if before %}
    inner join {{ before }}_totals as drawn
        on
            tops.account_id = drawn.account_id
            and tops.timezone = drawn.timezone
            and tops.measure = drawn.measure
    where drawn.larger <= {{ most }}
    {% endif %}

),

{{ round }}_zones as (

    select distinct
        account_id,
        timezone
    from {{ round }}_tops

),

{{ round }}_accounts as (

    select distinct account_id
    from {{ round }}_zones

),

{{ round }}_units as (

    select units.*
    from units
    inner join {{ round }}_accounts as accounts on units.account_id = accounts.account_id

),

{{ round }}_seats as (

    select
        seats.seat,
        seats.cell
    from seats
    inner join {{ round }}_zones as zones
        on
            seats.account_id = zones.account_id
            and seats.timezone = zones.timezone
    where seats.n >= 3

),

-- An order of places depends on how many there are, not on whose they are: one account of each number of
-- posts stands for all.
{{ round }}_sizes as (

    select
        posts,
        min(account_id) as account_id
    from {{ round }}_units
    group by posts

),

{{ round }}_draws as (

    select
        units.posts,
        units.place,
        {{ each_number(first, last) }} as draw
    from {{ round }}_units as units
    inner join {{ round }}_sizes as sizes on units.account_id = sizes.account_id

),

-- A column of its own: in the window's order it would be calculated at each comparison.
{{ round }}_keys as (

    select
        *,
        {{ shuffle_key('place', 'draw') }} as shuffle_key
    from {{ round }}_draws

),

{{ round }}_orders as (

    select
        posts,
        draw,
        place,
        row_number() over (
            partition by posts, draw
            order by shuffle_key, place
        ) as dealt_place
    from {{ round }}_keys

),

{{ round }}_dealt as (

    select
        orders.draw,
        units.seats_before + orders.dealt_place as seat,
        {%- for measure in timing_measures() %}
        units.unit_{{ measure }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ round }}_units as units
    inner join {{ round }}_orders as orders
        on
            units.posts = orders.posts
            and units.place = orders.place

),

{{ round }}_sums as (

    select
        seats.cell,
        dealt.draw,
        {%- for measure in timing_measures() %}
        cast(sum(dealt.unit_{{ measure }}) as double) as total_{{ measure }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ round }}_seats as seats
    inner join {{ round }}_dealt as dealt on seats.seat = dealt.seat
    group by seats.cell, dealt.draw

),

{{ round }}_maxima as (
    {% for measure in timing_measures() %}
    select
        tops.account_id,
        tops.timezone,
        tops.measure,
        tops.z,
        sums.draw,
        max({{ standard_errors('sums.total_' ~ measure ~ ' / cells.n', 'cells.n', 'tops') }}) as largest
    from {{ round }}_sums as sums
    inner join cells on sums.cell = cells.cell
    inner join {{ round }}_tops as tops
        on
            cells.account_id = tops.account_id
            and cells.timezone = tops.timezone
            and tops.measure = '{{ measure }}'
    where cells.n < tops.n
    group by tops.account_id, tops.timezone, tops.measure, tops.z, sums.draw
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

{{ round }}_counts as (

    select
        account_id,
        timezone,
        measure,
        count(*) as draws,
        sum(case when largest >= z - 1e-9 then 1 else 0 end) as larger
    from {{ round }}_maxima
    group by account_id, timezone, measure

),
{{ round }}_totals as (

    select
        counts.account_id,
        counts.timezone,
        counts.measure,
        {%- if before %}
        counts.draws + drawn.draws as draws,
        counts.larger + drawn.larger as larger
        {%- else %}
        counts.draws,
        counts.larger
        {%- endif %}
    from {{ round }}_counts as counts
    {% if before %}
    inner join {{ before }}_totals as drawn
        on
            counts.account_id = drawn.account_id
            and counts.timezone = drawn.timezone
            and counts.measure = drawn.measure
    {% endif %}

),
{% endfor %}
rounds as (
    {% for round, first, last, most in timing_rounds() %}
    select * from {{ round }}_totals
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

-- How far each got: draws only become more from round to round.
furthest as (

    select
        account_id,
        timezone,
        measure,
        max(draws) as draws,
        max(larger) as larger
    from rounds
    group by account_id, timezone, measure

),

final as (

    select
        tops.account_id,
        tops.timezone,
        tops.measure,
        tops.fingerprint,
        cast(totals.draws as integer) as draws,
        cast(totals.larger as integer) as larger_draws
    from tops
    inner join furthest as totals
        on
            tops.account_id = totals.account_id
            and tops.timezone = totals.timezone
            and tops.measure = totals.measure

)

select * from final
