with

weights as (

    select
        metric_version,
        platform,
        metric,
        cast(weight * 100 as bigint) as hundredths,
        max(metric_version) over (partition by platform) as current_version
    from {{ ref('engagement_weights') }}

),

final as (

    select
        metric_version,
        platform,
        metric_version = current_version as is_current_version,
        {%- for counter in counters() if counter != 'impressions' %}
        cast(sum(case when metric = '{{ counter }}' then hundredths else 0 end) as bigint) as weight_{{ counter }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from weights
    group by metric_version, platform, current_version

)

select * from final
