with

availability as (

    select
        platform,
        account_kind,
        layout,
        metric,
        case when availability <> 'not_offered' and in_engagements then 1 else 0 end as adds,
        case when availability <> 'not_offered' and in_engagements_core then 1 else 0 end as adds_core,
        case when availability = 'not_offered' and in_engagements then 1 else 0 end as lacks,
        case when availability = 'not_offered' and in_engagements_core then 1 else 0 end as lacks_core
    from {{ ref('metric_offers') }}

),

flags as (

    select
        platform,
        account_kind,
        layout,
        {%- for counter in counters() if counter != 'impressions' %}
        max(case when metric = '{{ counter }}' then adds else 0 end) as adds_{{ counter }},
        max(case when metric = '{{ counter }}' then adds_core else 0 end) as adds_core_{{ counter }},
        max(case when metric = '{{ counter }}' then lacks else 0 end) as lacks_{{ counter }},
        max(case when metric = '{{ counter }}' then lacks_core else 0 end) as lacks_core_{{ counter }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from availability
    group by platform, account_kind, layout

),

names as (

    select
        *,
        concat(
            {%- for counter in counters() if counter != 'impressions' %}
            case when adds_{{ counter }} = 1 then ' + {{ counter }}' else '' end
            {%- if not loop.last %},{% endif %}
            {%- endfor %}
        ) as added_names,
        concat(
            {%- for counter in counters() if counter != 'impressions' %}
            case when lacks_{{ counter }} = 1 then ', {{ counter }}' else '' end
            {%- if not loop.last %},{% endif %}
            {%- endfor %}
        ) as lacking_names
    from flags

),

final as (

    select
        names.*,
        concat(
            substr(names.added_names, 4),
            case
                when names.lacking_names = '' then ''
                else concat(' (without ', substr(names.lacking_names, 3), ')')
            end
        ) as engagements_basis,
        {%- for counter in counters() if counter != 'impressions' %}
        weights.weight_{{ counter }},
        {%- endfor %}
        weights.metric_version
    from names
    left join {{ ref('int_score_weights') }} as weights
        on
            names.platform = weights.platform
            and weights.is_current_version
    where names.added_names <> ''

)

select * from final
