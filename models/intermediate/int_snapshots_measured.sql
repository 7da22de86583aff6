with

snapshots as (

    select * from {{ ref('int_snapshots_unioned') }}

),

formulas as (

    select * from {{ ref('int_metric_formulas') }}

),

-- A metric that the source does not offer is left out; an offered one that is NULL makes the sum NULL.
final as (

    select
        snapshots.snapshot_id,
        snapshots.post_id,
        snapshots.account_id,
        snapshots.platform,
        accounts.account_kind,
        snapshots.platform_post_id,
        posts.published_at,
        snapshots.slot_start,
        snapshots.collected_at,
        snapshots.first_landed_at,
        {%- for counter in counters() %}
        snapshots.{{ counter }},
        {%- endfor %}
        snapshots.unique_impressions,
        snapshots.platform_engagements,
        snapshots.source,
        snapshots.collected_basis,
        formulas.engagements_basis,
        cast(
            {%- for counter in counters() if counter != 'impressions' %}
            case when formulas.adds_{{ counter }} = 1 then snapshots.{{ counter }} else 0 end
            {%- if not loop.last %} +{% endif %}
            {%- endfor %}
            as bigint
        ) as engagements,
        cast(
            {%- for counter in counters() if counter != 'impressions' %}
            case when formulas.adds_core_{{ counter }} = 1 then snapshots.{{ counter }} else 0 end
            {%- if not loop.last %} +{% endif %}
            {%- endfor %}
            as bigint
        ) as engagements_core
    from snapshots
    inner join {{ ref('int_posts') }} as posts on snapshots.post_id = posts.post_id
    inner join {{ ref('int_accounts_live') }} as accounts on snapshots.account_id = accounts.account_id
    left join formulas
        on
            snapshots.platform = formulas.platform
            and accounts.account_kind = formulas.account_kind
            and snapshots.source = formulas.source

)

select * from final
