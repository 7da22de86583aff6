with

-- Posts known from files alone have no age values: they are compared over their lifetime, age 0 here.
values_at_age as (

    select
        post_id,
        age_hours,
        {%- for metric in compared_metrics() %}
        {{ metric }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ ref('post_age_values') }}
    union all
    select
        totals.post_id,
        0 as age_hours,
        totals.impressions,
        totals.engagements,
        {{ rate('totals.engagements', 'totals.impressions') }} as engagement_rate,
        {{ engagement_score('totals', 'weights') }} as engagement_score
    from {{ ref('int_post_totals') }} as totals
    inner join {{ ref('int_posts') }} as posts on totals.post_id = posts.post_id
    inner join {{ ref('int_score_weights') }} as weights
        on
            posts.platform = weights.platform
            and weights.is_current_version
    where totals.has_api = 0

),

aged_posts as (

    select
        values_at_age.post_id,
        values_at_age.age_hours,
        posts.account_id,
        posts.platform,
        posts.post_type,
        posts.published_at,
        {%- for metric in compared_metrics() %}
        {{ in_ten_thousandths('values_at_age.' ~ metric) }} as {{ metric }},
        {%- endfor %}
        values_at_age.age_hours = max(values_at_age.age_hours) over (partition by values_at_age.post_id) as is_compared
    from values_at_age
    inner join {{ ref('int_posts') }} as posts on values_at_age.post_id = posts.post_id

),

touched as (

    select distinct post_id
    from {{ ref('int_touched_ages') }}

),

others as (

    select aged_posts.*
    from aged_posts
    left join touched on aged_posts.post_id = touched.post_id
    where
        aged_posts.is_compared
        and touched.post_id is null

),

-- A post is compared with those of the 90 days before it: a touched one takes along the later ones that are
-- compared at the age at which it was touched.
compared_anew as (

    select post_id from touched
    union distinct
    select others.post_id
    from others
    inner join {{ ref('int_touched_ages') }} as earlier
        on
            others.account_id = earlier.account_id
            and others.age_hours = earlier.age_hours
            and others.published_at >= earlier.earliest_published_at
            and others.published_at <= earlier.latest_published_at + interval '90' day

),

final as (

    select
        aged_posts.*,
        compared_anew.post_id is not null as is_touched
    from aged_posts
    left join compared_anew on aged_posts.post_id = compared_anew.post_id

)

select * from final
