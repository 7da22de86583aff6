with

jumps as (

    select
        increments.*,
        posts.published_at
    from {{ ref('post_increments') }} as increments
    inner join {{ ref('int_posts') }} as posts on increments.post_id = posts.post_id
    where increments.is_jump

),

values_of_jumps as (

    select
        jumps.*,
        {%- for counter in counters() %}
        snapshots.{{ counter }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from jumps
    inner join {{ ref('int_snapshots') }} as snapshots on jumps.id = snapshots.snapshot_id

),

changes as (
    {% for counter in counters() %}
    select
        id as snapshot_id,
        '{{ counter }}' as metric,
        post_id,
        account_id,
        platform,
        published_at,
        collected_at,
        {{ counter }} - new_{{ counter }} as previous_value,
        {{ counter }} as current_value,
        new_{{ counter }} as change
    from values_of_jumps
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

flagged as (

    select * from changes
    where {{ is_jump('change', 'previous_value') }}

),

final as (

    select
        flagged.snapshot_id,
        flagged.metric,
        flagged.post_id,
        flagged.account_id,
        flagged.platform,
        flagged.published_at,
        flagged.collected_at,
        cast(flagged.previous_value as integer) as previous_value,
        flagged.current_value,
        cast({{ integer_divide('cast(flagged.change as bigint) * 100', 'flagged.previous_value') }} as bigint)
            as change_percent,
        coalesce(
            reviews.status,
            case
                when flagged.collected_at < flagged.published_at + interval '48' hour then 'expected'
                when flagged.previous_value < 100 then 'expected'
                else 'open'
            end
        ) as status,
        reviews.reviewed_by,
        reviews.reviewed_at
    from flagged
    left join {{ ref('stg_control__flag_reviews') }} as reviews
        on
            flagged.snapshot_id = reviews.snapshot_id
            and flagged.metric = reviews.metric

)

select * from final
