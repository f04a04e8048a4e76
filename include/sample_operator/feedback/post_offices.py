"""The sample's post offices: real-sounding names in both languages, all 18 districts, and when each opened."""

from __future__ import annotations

# code prefix = district; name in English | in Chinese | year of opening | year of closing where closed
BY_DISTRICT = {
    "CW": """General Post Office|郵政總局|1976
        Sheung Wan|上環|1951
        Sai Ying Pun|西營盤|1914
        Kennedy Town|堅尼地城|1981
        Shek Tong Tsui|石塘咀|1990
        Peak|山頂|1956
        Harbour Building|海港政府大樓|1989
        Wah Ming Centre|華明中心|1988
        Upper Levels|半山區|1965|2009""",
    "WC": """Wan Chai|灣仔|1915
        Causeway Bay|銅鑼灣|1986
        Happy Valley|跑馬地|1948
        Gloucester Road|告士打道|1991
        Lockhart Road|駱克道|1974
        Wesley|衞蘭軒|1993
        Tai Hang|大坑|1969
        Morrison Hill|摩理臣山|1972|2011""",
    "E": """North Point|北角|1957
        Quarry Bay|鰂魚涌|1982
        Shau Kei Wan|筲箕灣|1963
        Chai Wan|柴灣|1972
        Sai Wan Ho|西灣河|1987
        Heng Fa Chuen|杏花邨|1988
        Siu Sai Wan|小西灣|1991
        Tai Koo Shing|太古城|1979
        Wah Kee|華基|1985
        Perth Street|柏架山|1994
        Yue Wan Estate|漁灣邨|1978|2012""",
    "S": """Aberdeen|香港仔|1960
        Ap Lei Chau|鴨脷洲|1981
        Stanley|赤柱|1937
        Wah Fu|華富邨|1970
        Repulse Bay|淺水灣|1970
        Pok Fu Lam|薄扶林|1985
        Lei Tung Estate|利東邨|1988
        Wong Chuk Hang|黃竹坑|1984
        Shek O|石澳|1992""",
    "YTM": """Kowloon Central|九龍中央|1967
        Tsim Sha Tsui|尖沙咀|1906
        Mong Kok|旺角|1975
        Yau Ma Tei|油麻地|1968
        Tai Kok Tsui|大角咀|1983
        Granville Road|加連威老道|1979
        International Mail Centre|國際郵件中心|1999
        Canton Road|廣東道|1995
        Olympian City|奧海城|2001""",
    "SSP": """Sham Shui Po|深水埗|1926
        Cheung Sha Wan|長沙灣|1959
        Lai Chi Kok|荔枝角|1985
        Mei Foo|美孚|1971
        So Uk|蘇屋邨|1963|2010
        Nam Cheong|南昌|1989
        Shek Kip Mei|石硤尾|1976
        Un Chau Estate|元州邨|1999
        Pak Tin|白田邨|1980""",
    "KC": """To Kwa Wan|土瓜灣|1966
        Hung Hom|紅磡|1970
        Kowloon City|九龍城|1934
        Ho Man Tin|何文田|1987
        Whampoa|黃埔|1990
        Kai Tak|啓德|1958
        Oi Man Estate|愛民邨|1975
        Ma Tau Wai|馬頭圍|1966
        Kowloon Tong|九龍塘|1984""",
    "WTS": """Wong Tai Sin|黃大仙|1969
        Tsz Wan Shan|慈雲山|1971
        San Po Kong|新蒲崗|1968
        Choi Hung Chuen|彩虹邨|1964
        Lok Fu|樂富|1985
        Diamond Hill|鑽石山|1997
        Tung Tau Estate|東頭邨|1967
        Ngau Chi Wan|牛池灣|1990""",
    "KT": """Kwun Tong|觀塘|1962
        Ngau Tau Kok|牛頭角|1971
        Kowloon Bay|九龍灣|1984
        Lam Tin|藍田|1977
        Kai Tin|啓田|1999
        Kai Yip Estate|啓業邨|1983
        Yau Tong|油塘|1981
        Sau Mau Ping|秀茂坪|1973
        Shun Lee|順利邨|1980
        Telford Gardens|德福花園|1982""",
    "KTS": """Kwai Chung|葵涌|1976
        Kwai Fong|葵芳|1987
        Tsing Yi|青衣|1982
        Cheung Hong Estate|長康邨|1981
        Lai King|荔景|1977
        Shek Lei|石籬|1972
        Kwai Shing|葵盛|1979
        Container Port|貨櫃碼頭|1988|2011""",
    "TW": """Tsuen Wan|荃灣|1961
        Tsuen Wan West|荃灣西|1991
        Lei Muk Shue|梨木樹邨|1976
        Sham Tseng|深井|1998
        Discovery Park|愉景新城|1999""",
    "TM": """Tuen Mun|屯門|1981
        San Hui|新墟|1973
        Sam Shing|三聖邨|1982
        Butterfly Estate|蝴蝶邨|1984
        Leung King|良景邨|1990
        Siu Hong|兆康苑|1986
        Lung Mun|龍門|2000""",
    "YL": """Yuen Long|元朗|1950
        Kam Tin|錦田|1953
        Tin Shui Wai|天水圍|1992
        Tin Yiu|天耀邨|1993
        Long Ping|朗屏邨|1988
        Lau Fau Shan|流浮山|1966
        San Tin|新田|1968
        Shap Pat Heung|十八鄉|1975|2012""",
    "N": """Fanling|粉嶺|1949
        Sheung Shui|上水|1955
        Sha Tau Kok|沙頭角|1962
        Luen Wo Hui|聯和墟|1958
        Wah Ming|華明邨|1991
        Ta Kwu Ling|打鼓嶺|1970""",
    "TP": """Tai Po|大埔|1924
        Tai Po Market|大埔墟|1986
        Fu Shin|富善邨|1987
        Kwong Fuk|廣福邨|1984
        Tai Mei Tuk|大尾篤|1996""",
    "ST": """Sha Tin Central|沙田中央|1984
        Tai Wai|大圍|1952
        Fo Tan|火炭|1985
        Ma On Shan|馬鞍山|1992
        Lek Yuen|瀝源邨|1977
        Sha Kok|沙角邨|1981
        Chinese University|中文大學|1974
        Hin Keng|顯徑邨|1988
        Kwong Yuen|廣源邨|1990""",
    "SK": """Sai Kung|西貢|1950
        Tseung Kwan O|將軍澳|1994
        Po Lam|寶林|1990
        Hang Hau|坑口|1996
        Clear Water Bay|清水灣|1991
        Tiu Keng Leng|調景嶺|2003""",
    "IS": """Cheung Chau|長洲|1912
        Tung Chung|東涌|1998
        Airport|機場|1998
        Mui Wo|梅窩|1963
        Tai O|大澳|1930
        Peng Chau|坪洲|1959
        Lamma|南丫島|1967
        Discovery Bay|愉景灣|1985""",
}


def rows() -> list[tuple[str, str, str, str, int, int | None]]:
    """Every office: code, English name, Chinese name, district, year of opening, year of closing."""
    found = []
    for district, lines in BY_DISTRICT.items():
        for number, line in enumerate(lines.splitlines(), 1):
            name_en, name_zh, opened, *closed = line.strip().split("|")
            found.append((f"{district}{number:02d}", name_en, name_zh, district, int(opened), int(*closed) or None))
    return found
